"""Runs a command under a system-call filter that lets nobody install a filter with a listener."""
import ctypes, os, struct, sys
# A filter under which no filter with a listener can be installed.
libc = ctypes.CDLL(None, use_errno=True)
def stmt(code, k): return struct.pack("HBBI", code, 0, 0, k)
def jump(code, k, t, f): return struct.pack("HBBI", code, t, f, k)
SECCOMP = {"x86_64": 317, "aarch64": 277}[os.uname().machine]
LD, JEQ, JSET, RET = 0x20, 0x15, 0x45, 0x06
program = b"".join([
    stmt(LD, 0), jump(JEQ, SECCOMP, 0, 3),
    stmt(LD, 24), jump(JSET, 8, 0, 1),          # flags: NEW_LISTENER
    stmt(RET, 0x00050000 | 22),                 # EINVAL
    stmt(RET, 0x7fff0000)])
buffer = ctypes.create_string_buffer(program, len(program))
class Program(ctypes.Structure): _fields_ = [("len", ctypes.c_ushort), ("filter", ctypes.c_void_p)]
assert libc.prctl(38, 1, 0, 0, 0) == 0
assert libc.prctl(22, 2, ctypes.byref(Program(6, ctypes.addressof(buffer))), 0, 0) == 0, ctypes.get_errno()
os.execv(sys.argv[1], sys.argv[1:])
