'use strict';
// A thread beside the tests. When a test is about to use up its time it asks node's own inspector where
// the main thread is, also in a loop that never ends, and says so on stderr.
const fs = require('fs');
const net = require('net');
const crypto = require('crypto');
const { SourceMap } = require('module');
const { parentPort, workerData } = require('worker_threads');

const begun = new BigInt64Array(workerData.begun);
const maps = new Map();
let asked = 0n;

// Files that a transformer changed, with the paths of their source maps.
parentPort.on('message', (more) => {
  for (const [file, map] of more) maps.set(file, map);
});

function original(file, line, column) {
  const map = maps.get(file);
  if (map === undefined) return [line, column];
  try {
    const entry = new SourceMap(JSON.parse(fs.readFileSync(map, 'utf8'))).findEntry(line, column);
    return [entry.originalLine === undefined ? -1 : entry.originalLine, entry.originalColumn];
  } catch (error) {
    return [-1, -1];
  }
}

function tell(frames, scripts) {
  const stack = frames.map(({ functionName, location }) => {
    const file = String(scripts.get(location.scriptId)).replace(/^file:\/\//, '');
    const [line, column] = original(file, location.lineNumber, location.columnNumber || 0);
    return [functionName, file, line + 1, column + 1];
  });
  fs.writeSync(2, `\nproctor: stacks\nproctor: javascript stack ${JSON.stringify(stack.slice(0, 50))}\nproctor: end of stacks\n`);
}

function ask() {
  const url = new URL(workerData.url);
  const scripts = new Map();
  const socket = net.connect(url.port, url.hostname, () => {
    const key = crypto.randomBytes(16).toString('base64');
    socket.write(`GET ${url.pathname} HTTP/1.1\r\nHost: ${url.host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: ${key}\r\nSec-WebSocket-Version: 13\r\n\r\n`);
  });
  const send = (id, method) => {
    const text = Buffer.from(JSON.stringify({ id, method }));
    socket.write(Buffer.concat([Buffer.from([0x81, 0x80 | text.length, 0, 0, 0, 0]), text]));
  };
  let data = Buffer.alloc(0);
  let upgraded = false;
  socket.on('error', () => {});
  socket.on('data', (bytes) => {
    data = Buffer.concat([data, bytes]);
    if (!upgraded) {
      const end = data.indexOf('\r\n\r\n');
      if (end < 0) return;
      data = data.subarray(end + 4);
      upgraded = true;
      send(1, 'Debugger.enable');
      send(2, 'Debugger.pause');
    }
    for (;;) {
      if (data.length < 4) return;
      let length = data[1] & 0x7f;
      let start = 2;
      if (length === 126) [length, start] = [data.readUInt16BE(2), 4];
      else if (length === 127) {
        if (data.length < 10) return;
        [length, start] = [Number(data.readBigUInt64BE(2)), 10];
      }
      if (data.length < start + length) return;
      const text = data.subarray(start, start + length).toString();
      data = data.subarray(start + length);
      let message = {};
      try {
        message = JSON.parse(text);
      } catch (error) {
        continue;
      }
      if (message.method === 'Debugger.scriptParsed') scripts.set(message.params.scriptId, message.params.url);
      if (message.method === 'Debugger.paused') {
        tell(message.params.callFrames, scripts);
        send(3, 'Debugger.resume');
      }
      // node can crash when its debugger leaves before it has said that it goes on.
      if (message.id === 3) send(4, 'Debugger.disable');
      if (message.id === 4) socket.end();
    }
  });
}

setInterval(() => {
  const start = Atomics.load(begun, 0);
  const used = Date.now() - Number(start);
  if (start === 0n || start === asked || used < workerData.milliseconds) return;
  asked = start;
  ask();
}, 50);
