// swift-format-ignore-file
/// The rules below `rules`, written by scripts/embed-rules.py: edit them there.
enum ValidationRules {
static let python = ##"""
id: py-builtins-object
language: python
message: 'takes the table of built-in functions'
note: 'Everything of the language can be had from it by name.'
rule:
  any:
    - all:
        - kind: identifier
        - regex: ^__builtins__$
    - pattern: getattr(builtins, $$$ARGS)
    - pattern: vars(builtins)
    - pattern: builtins.__dict__
metadata:
  category: reflection
  severity: high
---
id: py-compile
language: python
message: 'compiles text to code'
note: 'Compiled code can be run by anything that takes a code object.'
rule:
  any:
    - pattern: compile($$$ARGS)
    - pattern: types.FunctionType($$$ARGS)
    - pattern: types.CodeType($$$ARGS)
    - pattern: code.InteractiveInterpreter($$$ARGS)
    - pattern: runpy.run_path($$$ARGS)
    - pattern: runpy.run_module($$$ARGS)
metadata:
  category: code_evaluation
  severity: medium
---
id: py-computed-attribute
language: python
message: 'reads an attribute by a computed name'
note: 'The name hides which attribute it is.'
rule:
  any:
    - pattern: getattr($O, $NAME)
    - pattern: getattr($O, $NAME, $$$)
    - pattern: setattr($O, $NAME, $V)
    - pattern: operator.attrgetter($NAME)
constraints:
  NAME:
    not: {kind: string}
metadata:
  category: reflection
  severity: medium
---
id: py-credentials
language: python
message: 'reads a credential from the environment or a key store'
note: 'Nothing that is tested needs one.'
rule:
  any:
    - all:
        - any: [{pattern: 'os.environ[$NAME]'}, {pattern: 'os.environ.get($NAME)'}, {pattern: 'os.environ.get($NAME, $$$)'}, {pattern: 'os.getenv($NAME)'}, {pattern: 'os.getenv($NAME, $$$)'}, {pattern: 'getenv($NAME)'}, {pattern: 'getenv($NAME, $$$)'}, {pattern: 'environ[$NAME]'}]
    - pattern: keyring.get_password($$$ARGS)
    - pattern: getpass.getpass($$$ARGS)
constraints:
  NAME: {regex: '(?i)(secret|token|passw|api_?key|access_?key|private_?key|credential)'}
metadata:
  category: environment
  severity: high
---
id: py-decoded-code
language: python
message: 'evaluates code that was encoded'
note: 'Code is encoded to be hidden.'
rule:
  kind: call
  all:
    - has: {field: function, regex: '^(eval|exec|compile|__import__|builtins\.exec|builtins\.eval)$'}
    - has: {field: arguments, regex: '(b64decode|b32decode|b16decode|a85decode|b85decode|unhexlify|fromhex|decompress|codecs\.decode|rot.?13|\.decode\(|\[::-1\])'}
metadata:
  category: obfuscation
  severity: critical
---
id: py-descriptor-redirection
language: python
message: 'redirects its own streams'
note: 'What a process started later reads and writes is another place.'
rule:
  any:
    - pattern: os.dup2($$$ARGS)
    - pattern: os.kill($$$ARGS)
    - pattern: os.killpg($$$ARGS)
    - pattern: os.setuid($$$ARGS)
metadata:
  category: process
  severity: medium
---
id: py-deserialization
language: python
message: 'rebuilds objects from data, which can run code'
note: 'Such data names functions to call.'
rule:
  any:
    - all:
        - kind: call
        - has: {field: function, regex: '^(pickle|cPickle|_pickle|dill|cloudpickle|marshal|joblib|shelve|jsonpickle|pandas)\.(load|loads|Unpickler|open|decode|read_pickle)$'}
    - all:
        - kind: call
        # Cheap things first: only calls of these names look for the import.
        - has: {field: function, regex: '\.(load|loads|Unpickler|open|decode|read_pickle)$'}
        - pattern: $O.$F($$$ARGS)
        - inside:
            stopBy: end
            any: [{kind: module}, {kind: block}]
            has: {kind: import_statement, has: {kind: aliased_import, regex: '^(pickle|cPickle|_pickle|dill|cloudpickle|marshal|joblib|shelve|jsonpickle|pandas) as ', has: {field: alias, pattern: $O}}}
    - all:
        - kind: import_from_statement
        - has: {field: module_name, pattern: $MODULE, regex: '^(pickle|cPickle|_pickle|dill|cloudpickle|marshal|joblib|shelve|jsonpickle|pandas)$'}
        - has: {field: name, regex: '^(load|loads|Unpickler|open|decode|read_pickle)( as |$)'}
metadata:
  category: deserialization
  severity: high
---
id: py-dunder-access
language: python
message: 'reaches into the interpreter through a special attribute'
note: 'From there every object of the process can be had, whatever was hidden.'
rule:
  any:
    - all:
        - kind: attribute
        - has: {field: attribute, regex: '^__(globals|code|subclasses|bases|base|mro|builtins|closure|getattribute|reduce|reduce_ex|loader|spec|func|self|wrapped|import)__$'}
    - all:
        - kind: string
        - regex: '^[rbuf]*["'']+__(globals|code|subclasses|bases|base|mro|builtins|closure|getattribute|class|import|dict|init)__["'']+$'
    - all:
        - kind: attribute
        - has: {field: attribute, regex: '^(f_globals|f_locals|f_back|gi_frame|cr_frame|func_globals|co_code|tb_frame)$'}
metadata:
  category: reflection
  severity: high
---
id: py-dynamic-import
language: python
message: 'imports a module by a name that is computed or hidden from import statements'
note: 'Which module it is is known only when it runs.'
rule:
  any:
    - pattern: __import__($$$ARGS)
    - pattern: importlib.import_module($$$ARGS)
    - pattern: importlib.__import__($$$ARGS)
    - pattern: importlib.util.spec_from_file_location($$$ARGS)
    - pattern: imp.load_source($$$ARGS)
    - all:
        - kind: import_from_statement
        - has: {field: module_name, pattern: $MODULE, regex: '^importlib$'}
        - has: {field: name, regex: '^(import_module|__import__)( as |$)'}
    - pattern: pkgutil.resolve_name($$$ARGS)
metadata:
  category: reflection
  severity: medium
---
id: py-encoded-text
language: python
message: 'holds text that is encoded'
note: 'Plain letters are written in escapes, or much in one encoded piece, to be hidden.'
rule:
  all:
    - any: [{kind: string}]
    - any:
        - regex: '(\\x[2-7][0-9a-fA-F]){4,}'
        - regex: '(\\u00[2-7][0-9a-fA-F]){4,}'
        - regex: '(\\u\{0*[2-7][0-9a-fA-F]\}){4,}'
        - regex: '^[a-z]*["''`]+[A-Za-z0-9+/=_-]{400,}["''`]+$'
metadata:
  category: obfuscation
  severity: medium
---
id: py-environment
language: python
message: 'reads the environment'
note: 'It can hold what is secret.'
rule:
  any:
    - pattern: os.environ
    - pattern: os.getenv($$$ARGS)
    - pattern: os.environb
    - all:
        - kind: attribute
        - has: {field: attribute, regex: '^environ$'}
        - pattern: $O.environ
        - inside:
            stopBy: end
            any: [{kind: module}, {kind: block}]
            has: {kind: import_statement, has: {kind: aliased_import, regex: '^os as ', has: {field: alias, pattern: $O}}}
    - all:
        - kind: import_from_statement
        - has: {field: module_name, pattern: $MODULE, regex: '^os$'}
        - has: {field: name, regex: '^(environb?|getenv)( as |$)'}
metadata:
  category: environment
  severity: low
---
id: py-eval
language: python
message: 'evaluates text as code'
note: 'What the text says is known only when it runs.'
rule:
  any:
    - pattern: eval($$$ARGS)
    - pattern: exec($$$ARGS)
    - pattern: $B.eval($$$ARGS)
    - pattern: $B.exec($$$ARGS)
    - pattern: execfile($$$ARGS)
constraints:
  B: {regex: '^(builtins|__builtins__)$'}
metadata:
  category: code_evaluation
  severity: high
---
id: py-evaluator-by-name
language: python
message: 'takes a function that evaluates text without calling it'
note: 'An alias of eval or exec hides the call.'
rule:
  kind: identifier
  regex: ^(eval|exec)$
  not:
    any:
      - inside: {kind: call, field: function}
      - inside: {kind: attribute, field: attribute}
      - inside: {kind: function_definition, field: name}
      - inside: {kind: keyword_argument, field: name}
      - inside: {kind: parameters}
      - inside: {any: [{kind: dotted_name}, {kind: aliased_import}]}
metadata:
  category: code_evaluation
  severity: high
---
id: py-file-read
language: python
message: 'reads files'
note: 'It sees what the user can see.'
rule:
  any:
    - pattern: open($PATH)
    - all:
        - any: [{pattern: 'open($PATH, $MODE)'}, {pattern: 'open($PATH, $MODE, $$$)'}, {pattern: 'open($PATH, encoding=$E)'}, {pattern: 'open($PATH, encoding=$E, $$$)'}]
        - not: {any: [{pattern: 'open($PATH, mode=$WRITE)'}, {pattern: 'open($PATH, mode=$WRITE, $$$)'}]}
    - pattern: io.open($$$ARGS)
    - pattern: $P.read_text($$$ARGS)
    - pattern: $P.read_bytes($$$ARGS)
    - pattern: os.listdir($$$ARGS)
    - pattern: os.walk($$$ARGS)
    - pattern: os.scandir($$$ARGS)
    - pattern: glob.glob($$$ARGS)
constraints:
  MODE: {not: {regex: '[wax+]'}}
metadata:
  category: file_access
  severity: low
---
id: py-file-write
language: python
message: 'writes or changes files'
note: 'What is written stays when the code is gone.'
rule:
  any:
    - all:
        - any: [{pattern: 'open($PATH, $MODE)'}, {pattern: 'open($PATH, $MODE, $$$)'}, {pattern: 'open($PATH, mode=$MODE)'}, {pattern: 'open($PATH, mode=$MODE, $$$)'}, {pattern: 'io.open($PATH, $MODE)'}, {pattern: 'io.open($PATH, $MODE, $$$)'}, {pattern: 'codecs.open($PATH, $MODE)'}, {pattern: 'codecs.open($PATH, $MODE, $$$)'}]
    - all:
        - pattern: $M.$F($$$ARGS)
        - has: {field: function, regex: '^(os|shutil)\.(remove|unlink|rmdir|removedirs|rename|renames|replace|truncate|chmod|chown|link|symlink|mkdir|makedirs|mkfifo|rmtree|copy2?|copyfile|copytree|move|open)$'}
    - pattern: $P.write_text($$$ARGS)
    - pattern: $P.write_bytes($$$ARGS)
    - pattern: $P.unlink($$$ARGS)
    - all:
        - kind: import_from_statement
        - has: {field: module_name, pattern: $MODULE, regex: '^(os|shutil)$'}
        - has: {field: name, regex: '^(remove|unlink|rmdir|removedirs|rename|replace|chmod|rmtree|copytree|move)( as |$)'}
constraints:
  MODE: {regex: '[wax+]'}
metadata:
  category: file_access
  severity: medium
---
id: py-hidden-names
language: python
message: 'uses names that a machine made to hide meaning'
note: 'Obfuscators name everything so.'
rule:
  kind: identifier
  regex: '^_*(0x[0-9a-f]{3,}|[Il1]{8,}|[O0]{8,}|_0x[0-9a-f]{2,})$'
metadata:
  category: obfuscation
  severity: medium
---
id: py-import-notable
language: python
message: 'imports $MODULE, a module for processes, network, native code or data that runs'
note: 'What it is used for is found on its own; here only that it is there.'
rule:
  any:
    - all:
        - kind: dotted_name
        - pattern: $MODULE
        - any:
            - inside: {kind: import_statement}
            - inside: {kind: aliased_import, inside: {kind: import_statement}}
    - all:
        - kind: dotted_name
        - pattern: $MODULE
        - inside: {kind: import_from_statement, field: module_name}
constraints:
  MODULE: {regex: '^(subprocess|pty|socket|socketserver|ctypes|cffi|pickle|cPickle|dill|marshal|shelve|requests|httpx|aiohttp|urllib3|urllib\.request|http\.client|smtplib|ftplib|telnetlib|paramiko|importlib|imp|builtins|mmap|code|codeop|runpy|multiprocessing)(\.|$)'}
metadata:
  category: import
  severity: low
---
id: py-import
language: python
message: 'imports a module'
note: 'Known for the lists of allowed and denied modules.'
rule:
  any:
    - all:
        - kind: dotted_name
        - pattern: $MODULE
        - any:
            - inside: {kind: import_statement}
            - inside: {kind: aliased_import, inside: {kind: import_statement}}
    - all:
        - kind: dotted_name
        - pattern: $NAME
        - any:
            - inside: {kind: import_from_statement, field: name, has: {field: module_name, pattern: $MODULE}}
            - inside: {kind: aliased_import, inside: {kind: import_from_statement, has: {field: module_name, pattern: $MODULE}}}
    - all:
        - kind: wildcard_import
        - inside: {kind: import_from_statement, has: {field: module_name, pattern: $MODULE}}
    - pattern: __import__($MODULE)
    - pattern: __import__($MODULE, $$$)
    - pattern: importlib.import_module($MODULE)
    - pattern: importlib.import_module($MODULE, $$$)
    - pattern: import_module($MODULE)
    - pattern: import_module($MODULE, $$$)
metadata:
  category: import
---
id: py-infinite-loop
language: python
message: 'loops without any way out'
note: 'Only a limit from outside ends it.'
rule:
  kind: while_statement
  all:
    - has: {field: condition, regex: '^\(?(True|1|not False)\)?$'}
    - not:
        has:
          field: body
          any:
            - has: {stopBy: end, any: [{kind: break_statement}, {kind: return_statement}, {kind: raise_statement}, {kind: yield}, {kind: await}]}
            - regex: '(sys\.exit|os\._exit|\bexit|\bquit)\('
metadata:
  category: infinite_loop
  severity: medium
---
id: py-namespace-table
language: python
message: 'reads names from a table of the interpreter'
note: 'The name hides what is used.'
rule:
  any:
    - pattern: globals()[$X]
    - pattern: locals()[$X]
    - pattern: globals().get($$$ARGS)
    - pattern: sys.modules[$X]
    - pattern: sys.modules.get($$$ARGS)
    - pattern: sys._getframe($$$ARGS)
    - pattern: gc.get_objects($$$ARGS)
    - pattern: gc.get_referrers($$$ARGS)
    - pattern: inspect.currentframe($$$ARGS)
    - pattern: inspect.stack($$$ARGS)
metadata:
  category: reflection
  severity: medium
---
id: py-native-code
language: python
message: 'calls native code'
note: 'Native code obeys no rule of the language.'
rule:
  any:
    - all:
        - kind: call
        - has: {field: function, regex: '^(ctypes|_ctypes|cffi)\.'}
    - all:
        - kind: aliased_import
        - has: {field: name, pattern: $MODULE, regex: '^(ctypes|cffi|_ctypes)(\.|$)'}
    - all:
        - kind: import_from_statement
        - has: {field: module_name, pattern: $MODULE, regex: '^(ctypes|cffi|_ctypes)(\.|$)'}
    - pattern: $FFI.dlopen($$$ARGS)
    - pattern: FFI()
    - pattern: mmap.mmap($$$ARGS)
metadata:
  category: native_code
  severity: high
---
id: py-network-asyncio
language: python
message: 'uses the network'
note: 'Data can leave, and code can come in.'
rule:
  any:
    - pattern: asyncio.open_connection($$$ARGS)
    - pattern: asyncio.start_server($$$ARGS)
    - pattern: $LOOP.create_connection($$$ARGS)
    - pattern: xmlrpc.client.ServerProxy($$$ARGS)
    - pattern: http.server.HTTPServer($$$ARGS)
    - pattern: socketserver.TCPServer($$$ARGS)
metadata:
  category: network
  severity: medium
---
id: py-network
language: python
message: 'uses the network'
note: 'Data can leave, and code can come in.'
rule:
  any:
    - all:
        - kind: call
        - has: {field: function, regex: '^(socket|requests|urllib\.request|urllib2|urllib3|http\.client|httpx|aiohttp|smtplib|ftplib|paramiko|websockets|telnetlib)\.(socket|create_connection|create_server|urlopen|urlretrieve|Request|get|post|put|patch|delete|head|request|Session|HTTPConnection|HTTPSConnection|Client|AsyncClient|ClientSession|SMTP|SMTP_SSL|FTP|SSHClient|open_connection|start_server|connect|getaddrinfo|gethostbyname|stream|PoolManager)$'}
    - all:
        - kind: call
        # Cheap things first: only calls of these names look for the import.
        - has: {field: function, regex: '\.(socket|create_connection|create_server|urlopen|urlretrieve|Request|get|post|put|patch|delete|head|request|Session|HTTPConnection|HTTPSConnection|Client|AsyncClient|ClientSession|SMTP|SMTP_SSL|FTP|SSHClient|open_connection|start_server|connect|getaddrinfo|gethostbyname|stream|PoolManager)$'}
        - pattern: $O.$F($$$ARGS)
        - inside:
            stopBy: end
            any: [{kind: module}, {kind: block}]
            has: {kind: import_statement, has: {kind: aliased_import, regex: '^(socket|requests|urllib\.request|urllib2|urllib3|http\.client|httpx|aiohttp|smtplib|ftplib|paramiko|websockets|telnetlib) as ', has: {field: alias, pattern: $O}}}
    - all:
        - kind: import_from_statement
        - has: {field: module_name, pattern: $MODULE, regex: '^(socket|requests|urllib\.request|urllib2|urllib3|http\.client|httpx|aiohttp|smtplib|ftplib|paramiko|websockets|telnetlib)$'}
        - has: {field: name, regex: '^(socket|create_connection|create_server|urlopen|urlretrieve|Request|get|post|put|patch|delete|head|request|Session|HTTPConnection|HTTPSConnection|Client|AsyncClient|ClientSession|SMTP|SMTP_SSL|FTP|SSHClient|open_connection|start_server|connect|getaddrinfo|gethostbyname|stream|PoolManager)( as |$)'}
metadata:
  category: network
  severity: medium
---
id: py-parse
language: python
message: 'is not Python'
note: 'Code that does not parse is not known to be harmless.'
rule:
  any:
    - kind: ERROR
    - all:
        - any: [{kind: parameters}, {kind: argument_list}, {kind: list}, {kind: dictionary}, {kind: set}, {kind: tuple}, {kind: parenthesized_expression}, {kind: subscript}, {kind: call}, {kind: function_definition}, {kind: class_definition}, {kind: if_statement}, {kind: while_statement}, {kind: for_statement}, {kind: with_statement}, {kind: try_statement}, {kind: assignment}, {kind: string}, {kind: return_statement}, {kind: list_comprehension}, {kind: generator_expression}, {kind: lambda}, {kind: import_statement}, {kind: import_from_statement}, {kind: decorator}, {kind: attribute}, {kind: binary_operator}]
        # What is missing is a node without text.
        - has:
            regex: '^$'
            not: {any: [{kind: block}, {kind: string_content}]}
metadata:
  category: parse
---
id: py-process
language: python
message: 'starts a process'
note: 'A program of the machine runs with the rights of this one.'
rule:
  any:
    - all:
        - kind: call
        - has: {field: function, regex: '^(os|subprocess|pty|asyncio|posix|commands)\.(system|popen[234]?|exec[lv]p?e?|spawn(l|v)?p?e?|fork|forkpty|posix_spawnp?|startfile|run|Popen|call|check_call|check_output|getoutput|getstatusoutput|create_subprocess_(exec|shell))$'}
    - all:
        - kind: call
        # Cheap things first: only calls of these names look for the import.
        - has: {field: function, regex: '\.(system|popen[234]?|exec[lv]p?e?|spawn(l|v)?p?e?|fork|forkpty|posix_spawnp?|startfile|run|Popen|call|check_call|check_output|getoutput|getstatusoutput|create_subprocess_(exec|shell))$'}
        - pattern: $O.$F($$$ARGS)
        - inside:
            stopBy: end
            any: [{kind: module}, {kind: block}]
            has: {kind: import_statement, has: {kind: aliased_import, regex: '^(os|subprocess|pty|asyncio|posix|commands) as ', has: {field: alias, pattern: $O}}}
    - all:
        - kind: import_from_statement
        - has: {field: module_name, pattern: $MODULE, regex: '^(os|subprocess|pty|asyncio|posix|commands)$'}
        - has: {field: name, regex: '^(system|popen[234]?|exec[lv]p?e?|spawn(l|v)?p?e?|fork|forkpty|posix_spawnp?|startfile|run|Popen|call|check_call|check_output|getoutput|getstatusoutput|create_subprocess_(exec|shell))( as |$)'}
metadata:
  category: process
  severity: high
---
id: py-reversed-text
language: python
message: 'holds text that is turned around'
note: 'Text is reversed to be hidden.'
rule:
  pattern: $S[::-1]
constraints:
  S: {kind: string}
metadata:
  category: obfuscation
  severity: medium
---
id: py-sensitive-path
language: python
message: 'names a file that holds secrets or starts programs'
note: 'Keys, password files and start-up files are what attacks look for.'
rule:
  kind: string
  regex: '(/etc/(shadow|passwd|sudoers|cron|ssh/)|/proc/(self|\d+)/|/root/|\.ssh(/|\b)|id_(rsa|ed25519|ecdsa)\b|\.aws/|\.kube/config|\.docker/config|\.netrc|\.git-credentials|\.npmrc|\.pypirc|\.bashrc|\.bash_history|\.profile\b|authorized_keys|/var/run/docker\.sock|\.gnupg)'
metadata:
  category: file_access
  severity: high
---
id: py-text-from-codes
language: python
message: 'builds text from character codes'
note: 'Text is spelled in numbers to be hidden.'
rule:
  any:
    - all:
        - kind: call
        - any:
            - regex: '^[^()]*\.join\(\s*[\[\(]?\s*chr\('
            - regex: '^[^()]*\.join\(\s*map\(\s*chr\b'
    - all:
        - kind: binary_operator
        - regex: '^chr\(\d+\)\s*\+\s*chr\(\d+\)'
    - pattern: bytes([$A, $B, $C, $$$REST]).decode($$$)
metadata:
  category: obfuscation
  severity: medium
---
id: py-yaml-load
language: python
message: 'reads YAML that can make any object'
note: 'Only the safe loaders make plain values.'
rule:
  any:
    - pattern: yaml.unsafe_load($$$ARGS)
    - pattern: yaml.full_load($$$ARGS)
    - all:
        - any: [{pattern: yaml.load($$$ARGS)}, {pattern: yaml.load_all($$$ARGS)}]
        - not: {regex: '(C?SafeLoader|BaseLoader)'}
metadata:
  category: deserialization
  severity: high
"""##
static let javascript = ##"""
id: js-constructor-access
language: javascript
message: 'reaches the function constructor through an object'
note: 'From any object the way leads to a function made of text.'
rule:
  any:
    - pattern: $X.constructor.constructor
    - pattern: $X.constructor($$$ARGS)
    - pattern: $X["constructor"]
    - pattern: $X['constructor']
    - all:
        - pattern: $LIT.$M.constructor
        - has: {field: object, has: {field: object, any: [{kind: array}, {kind: string}, {kind: object}, {kind: parenthesized_expression}]}}
    - pattern: process.mainModule
    - pattern: module.constructor
    - pattern: Object.getPrototypeOf($X).constructor
metadata:
  category: reflection
  severity: high
---
id: js-credentials
language: javascript
message: 'reads a credential from the environment'
note: 'Nothing that is tested needs one.'
rule:
  any: [{pattern: process.env.$NAME}, {pattern: 'process.env[$NAME]'}, {pattern: Deno.env.get($NAME)}, {pattern: Bun.env.$NAME}]
constraints:
  NAME: {regex: '(?i)(secret|token|passw|api_?key|access_?key|private_?key|credential)'}
metadata:
  category: environment
  severity: high
---
id: js-decoded-code
language: javascript
message: 'evaluates code that was encoded'
note: 'Code is encoded to be hidden.'
rule:
  any:
    - all:
        - kind: call_expression
        - has: {field: function, regex: '^\(?(0,\s*)?(eval|Function|setTimeout|setInterval|.*\.eval)\)?$'}
        - has: {field: arguments, regex: '(\batob\(|Buffer\.from\(|fromCharCode|unescape\(|decodeURIComponent\(|\.reverse\(\))'}
    - all:
        - kind: new_expression
        - has: {field: constructor, regex: '^Function$'}
        - has: {field: arguments, regex: '(\batob\(|Buffer\.from\(|fromCharCode|unescape\()'}
metadata:
  category: obfuscation
  severity: critical
---
id: js-deserialization
language: javascript
message: 'rebuilds objects from data, which can run code'
note: 'Such data names functions to call.'
rule:
  any:
    - pattern: $M.unserialize($$$ARGS)
    - pattern: unserialize($$$ARGS)
    - pattern: v8.deserialize($$$ARGS)
    - pattern: deserialize($$$ARGS)
    - all:
        - pattern: require($MODULE)
        - regex: '["''](node-serialize|funcster|serialize-to-js|cryo)["'']'
    - all:
        - kind: import_statement
        - has: {field: source, pattern: $MODULE, regex: '^["''](node-serialize|funcster|serialize-to-js|cryo)["'']$'}
metadata:
  category: deserialization
  severity: high
---
id: js-dynamic-import
language: javascript
message: 'loads a module by a computed name'
note: 'Which module it is is known only when it runs.'
rule:
  any: [{pattern: require($NAME)}, {pattern: import($NAME)}, {pattern: process.getBuiltinModule($NAME)}, {pattern: 'module.require($NAME)'}, {pattern: 'createRequire($U)($NAME)'}]
constraints:
  NAME:
    not: {kind: string}
    any:
      - not: {kind: template_string}
      - has: {kind: template_substitution}
metadata:
  category: reflection
  severity: medium
---
id: js-encoded-text
language: javascript
message: 'holds text that is encoded'
note: 'Plain letters are written in escapes, or much in one encoded piece, to be hidden.'
rule:
  all:
    - any: [{kind: string}, {kind: template_string}]
    - any:
        - regex: '(\\x[2-7][0-9a-fA-F]){4,}'
        - regex: '(\\u00[2-7][0-9a-fA-F]){4,}'
        - regex: '(\\u\{0*[2-7][0-9a-fA-F]\}){4,}'
        - regex: '^[a-z]*["''`]+[A-Za-z0-9+/=_-]{400,}["''`]+$'
metadata:
  category: obfuscation
  severity: medium
---
id: js-environment
language: javascript
message: 'reads the environment'
note: 'It can hold what is secret.'
rule:
  any:
    - pattern: process.env
    - pattern: Deno.env
    - pattern: Bun.env
    - pattern: import.meta.env
    - pattern: process["env"]
    - all:
        - kind: import_statement
        - has: {field: source, pattern: $MODULE, regex: '^["''](node:)?process["'']$'}
        - regex: '\benv\b'
    - all:
        - kind: variable_declarator
        - has: {field: value, regex: ^process$}
        - has: {field: name, regex: '\benv\b'}
metadata:
  category: environment
  severity: low
---
id: js-eval
language: javascript
message: 'evaluates text as code'
note: 'What the text says is known only when it runs.'
rule:
  any:
    - all:
        - kind: identifier
        - regex: ^eval$
    - all:
        - kind: member_expression
        - has: {field: object, regex: '^(globalThis|window|global|self|top|parent)$'}
        - has: {field: property, regex: '^(eval|Function|execScript)$'}
metadata:
  category: code_evaluation
  severity: high
---
id: js-file-access
language: javascript
message: 'reads or writes files'
note: 'It sees what the user can see.'
rule:
  any:
    - all:
        - kind: import_statement
        - has: {field: source, pattern: $MODULE, regex: '^["''`](node:)?(fs|fs/promises|fs-extra|graceful-fs|rimraf)["''`]$'}
    - all:
        - any: [{pattern: require($MODULE)}, {pattern: import($MODULE)}, {pattern: process.getBuiltinModule($MODULE)}]
        - regex: '["''`](node:)?(fs|fs/promises|fs-extra|graceful-fs|rimraf)["''`]'
    - all:
        - kind: member_expression
        - regex: '^(Deno\.(readFile|readTextFile|open|readDir)(Sync)?|Bun\.file)$'
metadata:
  category: file_access
  severity: low
---
id: js-file-write
language: javascript
message: 'writes or changes files'
note: 'What is written stays when the code is gone.'
rule:
  any:
    - all:
        - kind: call_expression
        - has: {field: function, regex: '^(.*\.)?(writeFile|appendFile|unlink|rmdir|rename|chmod|chown|symlink|truncate|copyFile|createWriteStream|rm|mkdir)(Sync)?$'}
        - inside: {kind: program, stopBy: end, regex: '["''`](node:)?(fs|fs/promises|fs-extra)["''`]'}
    - all:
        - kind: member_expression
        - regex: '^(Deno\.(writeFile|writeTextFile|remove|rename|mkdir|chmod)(Sync)?|Bun\.write)$'
metadata:
  category: file_access
  severity: medium
---
id: js-function-constructor
language: javascript
message: 'makes a function from text'
note: 'It is eval by another name.'
rule:
  any:
    - pattern: new Function($$$ARGS)
    - pattern: Function($$$ARGS)
    - pattern: new AsyncFunction($$$ARGS)
    - pattern: Function.prototype.constructor($$$ARGS)
metadata:
  category: code_evaluation
  severity: high
---
id: js-hidden-names
language: javascript
message: 'uses names that a machine made to hide meaning'
note: 'Obfuscators name everything so.'
rule:
  kind: identifier
  regex: '^_*(0x[0-9a-f]{2,}|[Il1]{8,}|[O0]{8,}|_0x[0-9a-f]{2,}|[$_]{5,})$'
metadata:
  category: obfuscation
  severity: medium
---
id: js-import-notable
language: javascript
message: 'imports $MODULE, a module that reaches the machine'
note: 'What it is used for is found on its own; here only that it is there.'
rule:
  any:
    - all:
        - any: [{kind: import_statement}, {kind: export_statement}]
        - has: {field: source, pattern: $MODULE}
    - pattern: require($MODULE)
    - pattern: import($MODULE)
    - pattern: process.getBuiltinModule($MODULE)
constraints:
  MODULE: {regex: '^["''`](node:)?(worker_threads|inspector|v8|module|repl|wasi|os|process)["''`]$'}
metadata:
  category: import
  severity: low
---
id: js-import
language: javascript
message: 'imports a module'
note: 'Known for the lists of allowed and denied modules.'
rule:
  any:
    - all:
        - any: [{kind: import_statement}, {kind: export_statement}]
        - has: {field: source, pattern: $MODULE}
    - pattern: require($MODULE)
    - pattern: import($MODULE)
    - pattern: process.getBuiltinModule($MODULE)
metadata:
  category: import
---
id: js-infinite-loop
language: javascript
message: 'loops without any way out'
note: 'Only a limit from outside ends it.'
rule:
  any:
    - all:
        - any: [{kind: while_statement}, {kind: do_statement}]
        - has: {field: condition, regex: '^\((true|1|!0|!false)\)$'}
    - all:
        - kind: for_statement
        - has: {field: condition, kind: empty_statement}
    - all:
        - kind: for_statement
        - has: {field: condition, regex: '^(true|1|!0);?$'}
  not:
    any:
      - has: {field: body, has: {stopBy: end, any: [{kind: break_statement}, {kind: return_statement}, {kind: throw_statement}, {kind: yield_expression}, {kind: await_expression}]}}
      - has: {field: body, any: [{kind: break_statement}, {kind: return_statement}]}
      - has: {field: body, regex: 'process\.exit\('}
metadata:
  category: infinite_loop
  severity: medium
---
id: js-native-code
language: javascript
message: 'loads native code'
note: 'Native code obeys no rule of the language.'
rule:
  any:
    - pattern: process.binding($$$ARGS)
    - pattern: process._linkedBinding($$$ARGS)
    - pattern: process.dlopen($$$ARGS)
    - pattern: Deno.dlopen($$$ARGS)
    - all:
        - any: [{pattern: require($MODULE)}, {pattern: import($MODULE)}]
        - regex: '["''`](ffi-napi|ffi|ref-napi|koffi|bun:ffi|bindings|.*\.node)["''`]'
    - all:
        - kind: import_statement
        - has: {field: source, pattern: $MODULE, regex: '^["''](ffi-napi|ffi|ref-napi|koffi|bun:ffi|bindings|.*\.node)["'']$'}
    - pattern: WebAssembly.instantiate($$$ARGS)
    - pattern: new WebAssembly.Module($$$ARGS)
metadata:
  category: native_code
  severity: high
---
id: js-network
language: javascript
message: 'uses the network'
note: 'Data can leave, and code can come in.'
rule:
  any:
    - pattern: fetch($$$ARGS)
    - pattern: new XMLHttpRequest($$$)
    - pattern: new WebSocket($$$)
    - pattern: new EventSource($$$)
    - pattern: navigator.sendBeacon($$$)
    - all:
        - kind: member_expression
        - regex: '^(Deno\.(connect|connectTls|listen|serve|resolveDns)|Bun\.(serve|connect|listen)|(globalThis|window|self)\.(fetch|WebSocket))$'
    - all:
        - kind: import_statement
        - has: {field: source, pattern: $MODULE, regex: '^["''`](node:)?(net|tls|dgram|dns|http|https|http2|axios|node-fetch|got|undici|ws|request|superagent|socket\.io-client|socket\.io|ssh2|nodemailer|dns/promises)["''`]$'}
    - all:
        - any: [{pattern: require($MODULE)}, {pattern: import($MODULE)}, {pattern: process.getBuiltinModule($MODULE)}]
        - regex: '["''`](node:)?(net|tls|dgram|dns|http|https|http2|axios|node-fetch|got|undici|ws|request|superagent|socket\.io-client|socket\.io|ssh2|nodemailer|dns/promises)["''`]'
metadata:
  category: network
  severity: medium
---
id: js-parse
language: javascript
message: 'is not JavaScript'
note: 'Code that does not parse is not known to be harmless.'
rule:
  any:
    - kind: ERROR
    - all:
        - any: [{kind: arguments}, {kind: formal_parameters}, {kind: array}, {kind: object}, {kind: parenthesized_expression}, {kind: statement_block}, {kind: class_body}, {kind: template_string}, {kind: string}, {kind: subscript_expression}, {kind: call_expression}, {kind: variable_declarator}, {kind: lexical_declaration}, {kind: if_statement}, {kind: while_statement}, {kind: for_statement}, {kind: function_declaration}, {kind: arrow_function}, {kind: expression_statement}, {kind: return_statement}, {kind: member_expression}, {kind: named_imports}, {kind: import_statement}, {kind: object_pattern}, {kind: array_pattern}, {kind: binary_expression}]
        # What is missing is a node without text.
        - has:
            regex: '^$'
            not: {any: [{kind: string_fragment}, {kind: empty_statement}]}
metadata:
  category: parse
---
id: js-process
language: javascript
message: 'starts a process'
note: 'A program of the machine runs with the rights of this one.'
rule:
  any:
    - all:
        - kind: import_statement
        - has: {field: source, pattern: $MODULE, regex: '^["''`](node:)?(child_process|cluster|execa|cross-spawn|shelljs|node-pty)["''`]$'}
    - all:
        - any: [{pattern: require($MODULE)}, {pattern: import($MODULE)}, {pattern: process.getBuiltinModule($MODULE)}]
        - regex: '["''`](node:)?(child_process|cluster|execa|cross-spawn|shelljs|node-pty)["''`]'
    - all:
        - kind: member_expression
        - regex: '^(Deno\.(Command|run)|Bun\.(spawn|spawnSync|\$)|process\.kill)$'
metadata:
  category: process
  severity: high
---
id: js-prototype-change
language: javascript
message: 'changes what objects inherit'
note: 'Every object of the program may behave otherwise after it.'
rule:
  any:
    - pattern: $X.__proto__ = $V
    - pattern: $X["__proto__"]
    - pattern: Object.setPrototypeOf($$$ARGS)
    - pattern: Object.prototype.$F = $V
    - pattern: Array.prototype.$F = $V
    - pattern: globalThis[$K]
    - pattern: window[$K]
    - pattern: global[$K]
metadata:
  category: reflection
  severity: medium
---
id: js-sensitive-path
language: javascript
message: 'names a file that holds secrets or starts programs'
note: 'Keys, password files and start-up files are what attacks look for.'
rule:
  any: [{kind: string}, {kind: template_string}]
  regex: '(/etc/(shadow|passwd|sudoers|cron|ssh/)|/proc/(self|\d+)/|/root/|\.ssh(/|\b)|id_(rsa|ed25519|ecdsa)\b|\.aws/|\.kube/config|\.docker/config|\.netrc|\.git-credentials|\.npmrc|\.pypirc|\.bashrc|\.bash_history|\.profile\b|authorized_keys|/var/run/docker\.sock|\.gnupg)'
metadata:
  category: file_access
  severity: high
---
id: js-symbols-only
language: javascript
message: 'spells code with brackets alone'
note: 'Code of six characters is written by obfuscators only.'
rule:
  any: [{kind: subscript_expression}, {kind: binary_expression}]
  regex: '(\(?!\[\]\+\[\]\)?\[|\[\]\[\(|\(!!\[\]\+|\+!!\[\])'
metadata:
  category: obfuscation
  severity: high
---
id: js-text-from-codes
language: javascript
message: 'builds text from character codes'
note: 'Text is spelled in numbers to be hidden.'
rule:
  any:
    - pattern: String.fromCharCode($A, $B, $C, $D)
    - pattern: String.fromCharCode($A, $B, $C, $D, $$$REST)
    - pattern: String.fromCharCode(...$LIST)
    - pattern: String.fromCharCode.apply($$$ARGS)
    - pattern: String.fromCodePoint($A, $B, $C, $D)
    - pattern: String.fromCodePoint($A, $B, $C, $D, $$$REST)
metadata:
  category: obfuscation
  severity: medium
---
id: js-timer-text
language: javascript
message: 'gives a timer text to evaluate'
note: 'It is eval by another name.'
rule:
  any: [{pattern: 'setTimeout($TEXT)'}, {pattern: 'setTimeout($TEXT, $$$)'}, {pattern: 'setInterval($TEXT)'}, {pattern: 'setInterval($TEXT, $$$)'}, {pattern: 'setImmediate($TEXT)'}, {pattern: 'setImmediate($TEXT, $$$)'}]
constraints:
  TEXT:
    any: [{kind: string}, {kind: template_string}, {all: [{kind: binary_expression}, {has: {kind: string, stopBy: end}}]}]
metadata:
  category: code_evaluation
  severity: high
---
id: js-vm
language: javascript
message: 'runs text in a context of its own'
note: 'The module vm is no wall: its contexts can be left.'
rule:
  any:
    - all:
        - kind: call_expression
        - has: {field: function, regex: '\.(runInContext|runInNewContext|runInThisContext|compileFunction)$'}
    - all:
        - kind: import_statement
        - has: {field: source, pattern: $MODULE, regex: '^["''](node:)?vm["'']$'}
    - all:
        - pattern: require($MODULE)
        - regex: '["''](node:)?vm2?["'']'
metadata:
  category: code_evaluation
  severity: high
"""##
static let rust = ##"""
id: rs-build-time-files
language: rust
message: 'takes files into the program while it is built'
note: 'The path may lead anywhere on the machine that builds.'
rule:
  kind: macro_invocation
  has: {field: macro, regex: '^(include|include_str|include_bytes)$'}
metadata:
  category: file_access
  severity: low
---
id: rs-credentials
language: rust
message: 'reads a credential from the environment'
note: 'Nothing that is tested needs one.'
rule:
  kind: call_expression
  all:
    - has: {field: function, regex: '(^|::)env::var(_os)?$'}
    - has: {field: arguments, regex: '(?i)(secret|token|passw|api_?key|access_?key|private_?key|credential)'}
metadata:
  category: environment
  severity: high
---
id: rs-deserialization
language: rust
message: 'rebuilds objects from binary data'
note: 'Lengths in the data are believed, and types that run code on reading it are common.'
rule:
  any:
    - all:
        - any: [{kind: scoped_identifier}, {kind: generic_function}]
        - regex: '^(bincode|rmp_serde|serde_pickle|postcard|ciborium|serde_cbor|borsh|rkyv)::(.*::)?(deserialize|deserialize_from|decode_from_slice|decode_from_std_read|from_slice|from_read|from_reader|from_bytes|from_bytes_unchecked|access_unchecked|try_from_slice)(::<.*>)?$'
        - not: {inside: {any: [{kind: scoped_identifier}, {kind: use_declaration}, {kind: generic_function}]}}
    - all:
        - kind: use_declaration
        - has: {field: argument, pattern: $MODULE, regex: '^(bincode|serde_pickle|rmp_serde)::'}
metadata:
  category: deserialization
  severity: medium
---
id: rs-encoded-text
language: rust
message: 'holds text that is encoded'
note: 'Plain letters are written in escapes, or much in one encoded piece, to be hidden.'
rule:
  all:
    - any: [{kind: string_literal}, {kind: raw_string_literal}]
    - any:
        - regex: '(\\x[2-7][0-9a-fA-F]){4,}'
        - regex: '(\\u00[2-7][0-9a-fA-F]){4,}'
        - regex: '(\\u\{0*[2-7][0-9a-fA-F]\}){4,}'
        - regex: '^[a-z]*["''`]+[A-Za-z0-9+/=_-]{400,}["''`]+$'
metadata:
  category: obfuscation
  severity: medium
---
id: rs-environment
language: rust
message: 'reads the environment'
note: 'It can hold what is secret.'
rule:
  any:
    - all:
        - kind: use_declaration
        - has: {field: argument, pattern: $MODULE, regex: '^std::(\{[^;]*)?env(::(\{[^}]*)?(vars?(_os)?\b|\*))'}
    - all:
        - any: [{kind: scoped_identifier}, {kind: scoped_type_identifier}]
        - regex: '^std::env::(vars?(_os)?|set_var)$'
        - not: {inside: {any: [{kind: scoped_identifier}, {kind: use_declaration}]}}
    - all:
        - kind: macro_invocation
        - has: {kind: token_tree, regex: 'std::env::(vars?(_os)?|set_var)$'}
    - all:
        - any: [{kind: scoped_identifier}, {kind: scoped_type_identifier}]
        - regex: '^env::(vars?(_os)?|set_var)$'
        - not: {inside: {any: [{kind: scoped_identifier}, {kind: use_declaration}], stopBy: neighbor}}
        - inside: {kind: source_file, stopBy: end, has: {kind: use_declaration, stopBy: end, regex: 'std::(\{[^;]*)?env\b'}}
metadata:
  category: environment
  severity: low
---
id: rs-evaluation
language: rust
message: 'runs text in an interpreter'
note: 'What the text says is known only when it runs.'
rule:
  any:
    - all:
        - kind: use_declaration
        - has: {field: argument, pattern: $MODULE, regex: '^(mlua|rlua|rhai|rquickjs|boa_engine|deno_core|pyo3|rustpython_vm|wasmtime|wasmer|v8)\b'}
    - all:
        - kind: scoped_identifier
        - regex: '^(mlua::Lua|rhai::Engine|boa_engine::Context|rquickjs::Context)::'
        - not: {inside: {kind: scoped_identifier}}
metadata:
  category: code_evaluation
  severity: high
---
id: rs-file-access
language: rust
message: 'reads or writes files'
note: 'It sees what the user can see.'
rule:
  any:
    - all:
        - kind: use_declaration
        - has: {field: argument, pattern: $MODULE, regex: '^((std|tokio|async_std)::(\{[^;]*)?fs\b|tempfile|walkdir|fs_extra|memmap2?)'}
    - all:
        - any: [{kind: scoped_identifier}, {kind: scoped_type_identifier}]
        - regex: '^((std|tokio|async_std)::fs::)'
        - not: {inside: {any: [{kind: scoped_identifier}, {kind: use_declaration}]}}
    - all:
        - kind: macro_invocation
        - has: {kind: token_tree, regex: '((std|tokio|async_std)::fs::)'}
metadata:
  category: file_access
  severity: low
---
id: rs-file-write
language: rust
message: 'writes or changes files'
note: 'What is written stays when the code is gone.'
rule:
  any:
    - all:
        - kind: call_expression
        - has: {field: function, regex: '(^|::)fs::(write|remove_file|remove_dir|remove_dir_all|rename|copy|hard_link|set_permissions|create_dir|create_dir_all)$'}
    - all:
        - kind: call_expression
        - has: {field: function, regex: '(^|::)File::(create|create_new|options)$'}
        - inside: {kind: source_file, stopBy: end, regex: '(std|tokio)::(\{[^;]*)?fs\b'}
    - all:
        - kind: call_expression
        - has: {field: function, regex: '(^|::)OpenOptions::new$'}
    - all:
        - kind: use_declaration
        - has: {field: argument, pattern: $MODULE, regex: 'fs::(\{[^}]*)?(remove_|rename|write\b|set_permissions)'}
metadata:
  category: file_access
  severity: medium
---
id: rs-foreign-code
language: rust
message: 'calls native code'
note: 'Native code obeys no rule of the language.'
rule:
  any:
    - kind: foreign_mod_item
    - all:
        - kind: use_declaration
        - has: {field: argument, pattern: $MODULE, regex: '^(libloading|dlopen2?|libffi|libc|std::arch|core::arch)\b'}
    - all:
        - any: [{kind: scoped_identifier}, {kind: generic_function}]
        - regex: '(^|::)(libc::(dlopen|dlsym|mmap|ptrace|syscall)|libloading::|transmute(_copy)?(::<.*>)?$)'
        - any: [{regex: '(libc|libloading|mem::transmute|intrinsics::transmute)'}]
        - not: {inside: {any: [{kind: scoped_identifier}, {kind: use_declaration}, {kind: generic_function}]}}
    - all:
        - kind: use_declaration
        - has: {field: argument, pattern: $MODULE, regex: 'mem::(\{[^}]*)?transmute'}
    - all:
        - kind: macro_invocation
        - has: {field: macro, regex: '^((std|core)::arch::)?(asm|global_asm|naked_asm)$'}
    - all:
        - kind: attribute_item
        - regex: '\b(no_mangle|link_section|link\()'
metadata:
  category: native_code
  severity: high
---
id: rs-import
language: rust
message: 'names a module'
note: 'Known for the lists of allowed and denied modules.'
rule:
  any:
    - all:
        - kind: use_declaration
        - has: {field: argument, pattern: $MODULE}
    - all:
        - any: [{kind: scoped_identifier}, {kind: scoped_type_identifier}]
        - pattern: $MODULE
        - not: {inside: {any: [{kind: scoped_identifier}, {kind: scoped_type_identifier}]}}
        - not: {inside: {kind: use_declaration, stopBy: end}}
    - all:
        - kind: extern_crate_declaration
        - has: {field: name, pattern: $MODULE}
metadata:
  category: import
---
id: rs-infinite-loop
language: rust
message: 'loops without any way out'
note: 'Only a limit from outside ends it.'
rule:
  any:
    - kind: loop_expression
    - all:
        - kind: while_expression
        - has: {field: condition, regex: '^true$'}
  not:
    any:
      - has: {field: body, has: {stopBy: end, any: [{kind: break_expression}, {kind: return_expression}, {kind: try_expression}, {kind: await_expression}, {kind: yield_expression}]}}
      - has: {field: body, regex: '\b(panic!|unreachable!|todo!|bail!|process::exit|process::abort|(break|return)\b)'}
metadata:
  category: infinite_loop
  severity: medium
---
id: rs-network
language: rust
message: 'uses the network'
note: 'Data can leave, and code can come in.'
rule:
  any:
    - all:
        - kind: use_declaration
        - has: {field: argument, pattern: $MODULE, regex: '^((std|tokio|async_std|mio)::(\{[^;]*)?(net::(\{[^}]*)?(Tcp|Udp|Unix|\*)|os::unix::net)|reqwest|hyper|ureq|curl|isahc|tungstenite|tokio_tungstenite|surf|native_tls|rustls|ssh2|lettre|socket2)'}
    - all:
        - any: [{kind: scoped_identifier}, {kind: scoped_type_identifier}]
        - regex: '^((std|tokio|async_std)::net::(Tcp|Udp|Unix|lookup_host)|std::os::unix::net::|reqwest::|ureq::|hyper::|curl::|isahc::|tungstenite::|surf::)'
        - not: {inside: {any: [{kind: scoped_identifier}, {kind: use_declaration}]}}
    - all:
        - kind: macro_invocation
        - has: {kind: token_tree, regex: '((std|tokio|async_std)::net::(Tcp|Udp|Unix|lookup_host)|std::os::unix::net::|reqwest::|ureq::|hyper::|curl::|isahc::|tungstenite::|surf::)'}
    - all:
        - any: [{kind: scoped_identifier}, {kind: scoped_type_identifier}]
        - regex: '^net::(Tcp|Udp)'
        - not: {inside: {any: [{kind: scoped_identifier}, {kind: use_declaration}], stopBy: neighbor}}
        - inside: {kind: source_file, stopBy: end, has: {kind: use_declaration, stopBy: end, regex: '(std|tokio)::(\{[^;]*)?net(;|,|\}|::\{?self)'}}
metadata:
  category: network
  severity: medium
---
id: rs-parse
language: rust
message: 'is not Rust'
note: 'Code that does not parse is not known to be harmless.'
rule:
  any:
    - kind: ERROR
    - all:
        - any: [{kind: parameters}, {kind: arguments}, {kind: block}, {kind: token_tree}, {kind: array_expression}, {kind: tuple_expression}, {kind: parenthesized_expression}, {kind: declaration_list}, {kind: field_declaration_list}, {kind: let_declaration}, {kind: function_item}, {kind: string_literal}, {kind: use_list}, {kind: use_declaration}, {kind: match_block}, {kind: call_expression}, {kind: expression_statement}, {kind: macro_invocation}, {kind: const_item}, {kind: static_item}, {kind: struct_item}, {kind: binary_expression}, {kind: field_expression}]
        # What is missing is a node without text.
        - has:
            regex: '^$'
            not: {any: [{kind: string_content}]}
metadata:
  category: parse
---
id: rs-process
language: rust
message: 'starts a process'
note: 'A program of the machine runs with the rights of this one.'
rule:
  any:
    - all:
        - kind: use_declaration
        - has: {field: argument, pattern: $MODULE, regex: '^((std|tokio|async_std)::(\{[^;]*)?process(::(\{.*)?Command|::\*)|nix::unistd|duct|xshell)'}
    - all:
        - any: [{kind: scoped_identifier}, {kind: scoped_type_identifier}]
        - regex: '^((std|tokio|async_std)::process::Command|libc::(system|fork|execv[pe]*|execl[pe]*|posix_spawn|popen|kill)|nix::unistd::(fork|exec))'
        - not: {inside: {any: [{kind: scoped_identifier}, {kind: use_declaration}]}}
    - all:
        - kind: macro_invocation
        - has: {kind: token_tree, regex: '((std|tokio|async_std)::process::Command|libc::(system|fork|execv[pe]*|execl[pe]*|posix_spawn|popen|kill)|nix::unistd::(fork|exec))'}
    - all:
        - any: [{kind: scoped_identifier}, {kind: scoped_type_identifier}]
        - regex: '^process::Command'
        - not: {inside: {any: [{kind: scoped_identifier}, {kind: use_declaration}], stopBy: neighbor}}
        - inside: {kind: source_file, stopBy: end, has: {kind: use_declaration, stopBy: end, regex: '(std|tokio)::(\{[^;]*)?process(;|,|\}|::\{?self| as )'}}
metadata:
  category: process
  severity: high
---
id: rs-raw-memory
language: rust
message: 'makes values from raw pointers'
note: 'Whether the memory is what it is said to be, nobody checks.'
rule:
  kind: call_expression
  has: {field: function, regex: '(::|^)(from_raw|from_raw_parts(_mut)?|from_raw_fd|read_volatile|write_volatile|get_unchecked(_mut)?|from_utf8_unchecked|new_unchecked)$'}
metadata:
  category: native_code
  severity: medium
---
id: rs-sensitive-path
language: rust
message: 'names a file that holds secrets or starts programs'
note: 'Keys, password files and start-up files are what attacks look for.'
rule:
  any: [{kind: string_literal}, {kind: raw_string_literal}]
  regex: '(/etc/(shadow|passwd|sudoers|cron|ssh/)|/proc/(self|\d+)/|/root/|\.ssh(/|\b)|id_(rsa|ed25519|ecdsa)\b|\.aws/|\.kube/config|\.docker/config|\.netrc|\.git-credentials|\.npmrc|\.pypirc|\.bashrc|\.bash_history|\.profile\b|authorized_keys|/var/run/docker\.sock|\.gnupg)'
metadata:
  category: file_access
  severity: high
---
id: rs-unsafe
language: rust
message: 'has unsafe code'
note: 'In it the language gives no guarantee.'
rule:
  any:
    - kind: unsafe_block
    - all:
        - kind: function_item
        - has: {kind: function_modifiers, regex: '\bunsafe\b'}
    - all:
        - kind: impl_item
        - regex: '^unsafe '
    - all:
        - kind: static_item
        - has: {kind: mutable_specifier}
metadata:
  category: native_code
  severity: medium
"""##
static let swift = ##"""
id: swift-credentials
language: swift
message: 'reads a credential from the environment'
note: 'Nothing that is tested needs one.'
rule:
  kind: call_expression
  any:
    - all:
        - has: {kind: navigation_expression, regex: '\.environment$'}
        - has: {kind: call_suffix, regex: '(?i)(secret|token|passw|api_?key|access_?key|private_?key|credential)'}
    - all:
        - has: {kind: simple_identifier, regex: '^(secure_)?getenv$'}
        - has: {kind: call_suffix, regex: '(?i)(secret|token|passw|api_?key|access_?key|private_?key|credential)'}
metadata:
  category: environment
  severity: high
---
id: swift-deserialization
language: swift
message: 'rebuilds objects from data'
note: 'Data names the classes to make.'
rule:
  any: [{kind: simple_identifier}, {kind: type_identifier}]
  regex: '^(NSKeyedUnarchiver|NSUnarchiver|NSPortCoder)$'
metadata:
  category: deserialization
  severity: high
---
id: swift-dynamic-names
language: swift
message: 'finds classes or methods by name'
note: 'Which one it is is known only when it runs.'
rule:
  any:
    - all:
        - kind: call_expression
        - has: {kind: simple_identifier, regex: '^(NSClassFromString|NSSelectorFromString|NSProtocolFromString|objc_getClass|objc_msgSend|class_getInstanceMethod|method_exchangeImplementations|sel_registerName|_typeByName|Selector)$'}
        - has: {kind: call_suffix, has: {kind: value_arguments, regex: '^\('}}
        - not: {inside: {kind: source_file, stopBy: end, has: {any: [{kind: function_declaration}, {kind: class_declaration}], stopBy: end, has: {field: name, regex: '^(NSClassFromString|NSSelectorFromString|NSProtocolFromString|objc_getClass|objc_msgSend|class_getInstanceMethod|method_exchangeImplementations|sel_registerName|_typeByName|Selector)$'}}}}
    - all:
        - kind: call_expression
        - has: {kind: navigation_expression, regex: '\.(setValue|value)$'}
        - has: {kind: call_suffix, regex: '^\((.*, )?for(Key|KeyPath): '}
metadata:
  category: reflection
  severity: medium
---
id: swift-encoded-text
language: swift
message: 'holds text that is encoded'
note: 'Plain letters are written in escapes, or much in one encoded piece, to be hidden.'
rule:
  all:
    - any: [{kind: line_string_literal}]
    - any:
        - regex: '(\\x[2-7][0-9a-fA-F]){4,}'
        - regex: '(\\u00[2-7][0-9a-fA-F]){4,}'
        - regex: '(\\u\{0*[2-7][0-9a-fA-F]\}){4,}'
        - regex: '^[a-z]*["''`]+[A-Za-z0-9+/=_-]{400,}["''`]+$'
metadata:
  category: obfuscation
  severity: medium
---
id: swift-environment
language: swift
message: 'reads the environment'
note: 'It can hold what is secret.'
rule:
  any:
    - all:
        - kind: call_expression
        - has: {kind: simple_identifier, regex: '^(getenv|secure_getenv|setenv|putenv)$'}
        - has: {kind: call_suffix, has: {kind: value_arguments, regex: '^\('}}
        - not: {inside: {kind: source_file, stopBy: end, has: {any: [{kind: function_declaration}, {kind: class_declaration}], stopBy: end, has: {field: name, regex: '^(getenv|secure_getenv|setenv|putenv)$'}}}}
    - all:
        - kind: navigation_expression
        - regex: '^ProcessInfo(\.processInfo|\(\))\.environment$'
    - all:
        - kind: simple_identifier
        - regex: '^environ$'
        - inside: {kind: source_file, stopBy: end, has: {kind: import_declaration, regex: '(Glibc|Darwin|Musl)'}}
    - all:
        - any: [{kind: simple_identifier}, {kind: type_identifier}]
        - regex: '^(SecItemCopyMatching|kSecClass|CommandLine\.environment)$'
metadata:
  category: environment
  severity: low
---
id: swift-evaluation
language: swift
message: 'runs text as code'
note: 'What the text says is known only when it runs.'
rule:
  any:
    - all:
        - kind: call_expression
        - has: {kind: simple_identifier, regex: '^(NSAppleScript|NSExpression|JSContext)$'}
    - all:
        - kind: call_expression
        - has: {kind: navigation_expression, regex: '\.(evaluateScript|evaluateJavaScript)$'}
    - all:
        - kind: import_declaration
        - has: {kind: identifier, pattern: $MODULE, regex: '^(JavaScriptCore|PythonKit)$'}
metadata:
  category: code_evaluation
  severity: high
---
id: swift-file-access
language: swift
message: 'reads files'
note: 'It sees what the user can see.'
rule:
  any:
    - all:
        - kind: call_expression
        - has: {kind: simple_identifier, regex: '^(fopen|open|opendir|freopen)$'}
        - has: {kind: call_suffix, has: {kind: value_arguments, regex: '^\('}}
        - not: {inside: {kind: source_file, stopBy: end, has: {any: [{kind: function_declaration}, {kind: class_declaration}], stopBy: end, has: {field: name, regex: '^(fopen|open|opendir|freopen)$'}}}}
    - all:
        - kind: simple_identifier
        - regex: '^(FileManager|FileHandle|NSFileManager|InputStream|OutputStream)$'
    - all:
        - kind: call_expression
        - has: {kind: simple_identifier, regex: '^(String|Data|NSData|NSString|NSDictionary|NSArray)$'}
        - has: {kind: call_suffix, has: {kind: value_arguments, has: {kind: value_argument, has: {kind: value_argument_label, regex: '^(contentsOfFile|contentsOf)$'}}}}
metadata:
  category: file_access
  severity: low
---
id: swift-file-write
language: swift
message: 'writes or changes files'
note: 'What is written stays when the code is gone.'
rule:
  any:
    - all:
        - kind: call_expression
        - has: {kind: navigation_expression, regex: '^(FileManager\.default|FileManager\(\)|fileManager|fm)\.(removeItem|createFile|createDirectory|moveItem|copyItem|createSymbolicLink|setAttributes|replaceItem|trashItem)$'}
    - all:
        - kind: call_expression
        - has: {kind: navigation_expression, regex: '\.write$'}
        - has: {kind: call_suffix, has: {kind: value_arguments, has: {kind: value_argument, has: {kind: value_argument_label, regex: '^(toFile|to)$'}}}}
    - all:
        - kind: call_expression
        - regex: '^FileHandle\(for(Writing|Updating)'
metadata:
  category: file_access
  severity: medium
---
id: swift-foreign-code
language: swift
message: 'calls native code by name'
note: 'Native code obeys no rule of the language.'
rule:
  any:
    - all:
        - kind: call_expression
        - has: {kind: simple_identifier, regex: '^(dlopen|dlsym|dlclose|mmap|mprotect|ptrace|syscall)$'}
        - has: {kind: call_suffix, has: {kind: value_arguments, regex: '^\('}}
        - not: {inside: {kind: source_file, stopBy: end, has: {any: [{kind: function_declaration}, {kind: class_declaration}], stopBy: end, has: {field: name, regex: '^(dlopen|dlsym|dlclose|mmap|mprotect|ptrace|syscall)$'}}}}
    - all:
        - kind: attribute
        - regex: '^@(_silgen_name|_cdecl|_extern|_dynamicReplacement)\b'
    - all:
        - kind: attribute
        - regex: '^@convention\(c\)'
metadata:
  category: native_code
  severity: high
---
id: swift-import-notable
language: swift
message: 'imports $MODULE, the C library'
note: 'All of the system can be called through it.'
rule:
  kind: import_declaration
  has: {kind: identifier, pattern: $MODULE, regex: '^(Glibc|Darwin|Musl|ObjectiveC|Security|Bionic|WinSDK)(\.|$)'}
metadata:
  category: import
  severity: low
---
id: swift-import
language: swift
message: 'imports a module'
note: 'Known for the lists of allowed and denied modules.'
rule:
  kind: import_declaration
  has: {kind: identifier, pattern: $MODULE}
metadata:
  category: import
---
id: swift-infinite-loop
language: swift
message: 'loops without any way out'
note: 'Only a limit from outside ends it.'
rule:
  any: [{kind: while_statement}, {kind: repeat_while_statement}]
  has: {field: condition, regex: '^\(?true\)?$'}
  not:
    any:
      - has: {stopBy: end, kind: control_transfer_statement, not: {regex: '^continue'}}
      - has: {stopBy: end, any: [{kind: await_expression}, {kind: throw_keyword}]}
      - has: {stopBy: end, kind: try_expression, not: {regex: '^try[?!]'}}
      - regex: '\b(fatalError|exit|preconditionFailure|abort)\('
metadata:
  category: infinite_loop
  severity: medium
---
id: swift-mirror
language: swift
message: 'looks into values by reflection'
note: 'What is private can be read so.'
rule:
  kind: call_expression
  has: {kind: simple_identifier, regex: '^Mirror$'}
metadata:
  category: reflection
  severity: low
---
id: swift-network
language: swift
message: 'uses the network'
note: 'Data can leave, and code can come in.'
rule:
  any:
    - all:
        - kind: call_expression
        - has: {kind: simple_identifier, regex: '^(socket|connect|getaddrinfo|gethostbyname|CFStreamCreatePairWithSocketToHost)$'}
        - has: {kind: call_suffix, has: {kind: value_arguments, regex: '^\('}}
        - not: {inside: {kind: source_file, stopBy: end, has: {any: [{kind: function_declaration}, {kind: class_declaration}], stopBy: end, has: {field: name, regex: '^(socket|connect|getaddrinfo|gethostbyname|CFStreamCreatePairWithSocketToHost)$'}}}}
    - all:
        - any: [{kind: simple_identifier}, {kind: type_identifier}]
        - regex: '^(URLSession|NSURLSession|URLRequest|URLSessionConfiguration|NWConnection|NWListener|NSURLConnection|HTTPClient|WebSocket)$'
    - all:
        - kind: import_declaration
        - has: {kind: identifier, pattern: $MODULE, regex: '^(Network|FoundationNetworking|NIO|NIOHTTP1|NIOCore|AsyncHTTPClient|Alamofire|CFNetwork)$'}
metadata:
  category: network
  severity: medium
---
id: swift-parse
language: swift
message: 'is not Swift'
note: 'Code that does not parse is not known to be harmless.'
rule:
  any:
    - kind: ERROR
    - all:
        - any: [{kind: function_declaration}, {kind: value_arguments}, {kind: array_literal}, {kind: dictionary_literal}, {kind: tuple_expression}, {kind: class_body}, {kind: function_body}, {kind: property_declaration}, {kind: call_suffix}, {kind: lambda_literal}, {kind: line_string_literal}, {kind: if_statement}, {kind: while_statement}, {kind: for_statement}, {kind: guard_statement}, {kind: import_declaration}, {kind: parameter}, {kind: user_type}, {kind: type_annotation}]
        # What is missing is a node without text.
        - has:
            regex: '^$'
            not: {any: [{kind: line_str_text}, {kind: statements}]}
metadata:
  category: parse
---
id: swift-process
language: swift
message: 'starts a process'
note: 'A program of the machine runs with the rights of this one.'
rule:
  any:
    - all:
        - kind: call_expression
        - has: {kind: simple_identifier, regex: '^(posix_spawnp?|system|popen|fork|vfork|exec[lv][ep]?[ep]?)$'}
        - has: {kind: call_suffix, has: {kind: value_arguments, regex: '^\('}}
        - not: {inside: {kind: source_file, stopBy: end, has: {any: [{kind: function_declaration}, {kind: class_declaration}], stopBy: end, has: {field: name, regex: '^(posix_spawnp?|system|popen|fork|vfork|exec[lv][ep]?[ep]?)$'}}}}
    - all:
        - kind: call_expression
        - regex: '^(Foundation\.)?Process\(\)$'
        - not: {inside: {kind: source_file, stopBy: end, has: {kind: class_declaration, stopBy: end, has: {field: name, regex: '^Process$'}}}}
    - all:
        - kind: call_expression
        - regex: '^(Foundation\.)?(Process|NSTask)\.(run|launchedProcess)\b'
    - all:
        - kind: import_declaration
        - has: {kind: identifier, pattern: $MODULE, regex: '^(Subprocess|ShellOut|SwiftShell)$'}
metadata:
  category: process
  severity: high
---
id: swift-sensitive-path
language: swift
message: 'names a file that holds secrets or starts programs'
note: 'Keys, password files and start-up files are what attacks look for.'
rule:
  kind: line_string_literal
  regex: '(/etc/(shadow|passwd|sudoers|cron|ssh/)|/proc/(self|\d+)/|/root/|\.ssh(/|\b)|id_(rsa|ed25519|ecdsa)\b|\.aws/|\.kube/config|\.docker/config|\.netrc|\.git-credentials|\.npmrc|\.pypirc|\.bashrc|\.bash_history|\.profile\b|authorized_keys|/var/run/docker\.sock|\.gnupg)'
metadata:
  category: file_access
  severity: high
---
id: swift-unsafe-memory
language: swift
message: 'uses memory without checks'
note: 'Whether the memory is what it is said to be, nobody checks.'
rule:
  any:
    - all:
        - any: [{kind: simple_identifier}, {kind: type_identifier}]
        - regex: '^(Unsafe(Mutable)?(Raw)?(Buffer)?Pointer|AutoreleasingUnsafeMutablePointer|OpaquePointer|Unmanaged|unsafeBitCast|unsafeDowncast|withUnsafe\w+|withMemoryRebound|assumingMemoryBound|bindMemory|unsafelyUnwrapped)$'
metadata:
  category: native_code
  severity: medium
"""##
}
