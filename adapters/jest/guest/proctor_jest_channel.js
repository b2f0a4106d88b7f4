'use strict';
// Sealed frames on proctor's named pipe: `P1 NONCE WRITER SEQUENCE FLAG PAYLOAD`, one write each.
// One instance a process: the parent's reporter and each worker's runner are writers of their own.
const fs = require('fs');

const FRAME = 4096;
const { writeSync, openSync, constants } = fs;
const { stringify } = JSON;
const byteLength = Buffer.byteLength;
const path = process.env.PROCTOR_CHANNEL;
const nonce = process.env.PROCTOR_NONCE;
const writer = process.pid;
let descriptor;
let sequence = 0;

function put(line) {
  const open = () => openSync(path, constants.O_WRONLY | constants.O_APPEND);
  if (descriptor === undefined) descriptor = open();
  try {
    writeSync(descriptor, line);
  } catch (error) {
    // A test closed every descriptor.
    descriptor = open();
    writeSync(descriptor, line);
  }
}

// JSON in ASCII, so that a cut between bytes is one between characters. JSON.stringify writes lone
// surrogates, and nothing else, as \ud800...\udfff; no decoder takes them.
function encode(record) {
  return stringify(record)
    .replace(/(?<!\\)((?:\\\\)*)\\ud[89a-f][0-9a-f]{2}/gi, '$1\\ufffd')
    .replace(/[\u007f-\uffff]/g, (c) => '\\u' + c.charCodeAt(0).toString(16).padStart(4, '0'));
}

exports.enabled = Boolean(path && nonce);

exports.send = (record) => {
  if (!exports.enabled || process.pid !== writer) return;
  const payload = encode(record);
  let start = 0;
  do {
    const head = `P1 ${nonce} ${writer} ${sequence} `;
    const room = FRAME - byteLength(head) - 3;
    const piece = payload.slice(start, start + room);
    start += room;
    sequence += 1;
    put(`${head}${start >= payload.length ? '.' : '+'} ${piece}\n`);
  } while (start < payload.length);
};

exports.cut = (text, limit) => {
  text = String(text);
  if (text.length <= limit) return text;
  const half = limit >> 1;
  return `${text.slice(0, half)}\n[... ${text.length - 2 * half} characters cut ...]\n${text.slice(-half)}`;
};

exports.plain = (text) => String(text).replace(/\u001b\[[0-9;]*m/g, '');
