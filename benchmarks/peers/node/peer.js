// Node: worker threads, their MessagePorts, and shared memory with Atomics.
//
//   node peer.js CASE SECONDS CPU_A CPU_B [FILE]    prints "value NUMBER", in the unit of the workload
'use strict';
const fs = require('fs');
const {MessageChannel, Worker, isMainThread, parentPort, receiveMessageOnPort, workerData} =
    require('worker_threads');

const now = () => Number(process.hrtime.bigint()) / 1e9;
const once = (target, event) => new Promise((done) => target.once(event, done));

// Seconds for each of the operations of run(count), with more of them until they last long enough.
async function secondsEach(seconds, run) {
  for (let count = 64;;) {
    const elapsed = await run(count);
    if (elapsed >= 0.5 * seconds) return elapsed / count;
    const wanted = Math.min(16, Math.max(2, seconds / Math.max(elapsed, 1e-9)));
    count = Math.ceil(count * wanted / 64) * 64;
  }
}

const roles = {
  // Answers every message.
  echo() {
    parentPort.on('message', (message) => parentPort.postMessage(message));
  },
  // The same on a port that comes with the first message, looking all the time.
  echoSpinning() {
    parentPort.once('message', (port) => {
      for (;;) {
        const got = receiveMessageOnPort(port);
        if (got !== undefined) port.postMessage(got.message);
      }
    });
  },
  // By turns with the main thread: the word is odd when it is the turn of this one.
  atomics({words, count}) {
    for (let i = 0; i < count; ++i) {
      while (Atomics.load(words, 0) !== 2 * i + 1) {
      }
      Atomics.store(words, 0, 2 * i + 2);
    }
  },
  // Sends as many messages of 64 bytes as it is told to.
  produce() {
    parentPort.on('message', (count) => {
      const message = new Uint8Array(64);
      for (let i = 0; i < count; ++i) parentPort.postMessage(message);
    });
  },
  first() {
    parentPort.postMessage(7);
  },
  parse(file) {
    const document = JSON.parse(fs.readFileSync(file, 'utf8'));
    const start = now();
    parentPort.postMessage({document, start});
  },
  idle() {
    parentPort.on('message', () => {});
    parentPort.postMessage(7);
  },
};

const start = (role, data) => new Worker(__filename, {workerData: {role, data}});

async function roundTrip(seconds) {
  const worker = start('echo');
  const each = await secondsEach(seconds, (count) => new Promise((done) => {
    const begin = now();
    let left = count;
    worker.removeAllListeners('message');
    worker.on('message', () => {
      if (--left > 0) {
        worker.postMessage(7);
      } else {
        done(now() - begin);
      }
    });
    worker.postMessage(7);
  }));
  await worker.terminate();
  return 1e9 * each;
}

async function roundTripSpinning(seconds) {
  const worker = start('echoSpinning');
  const {port1, port2} = new MessageChannel();
  worker.postMessage(port2, [port2]);
  const each = await secondsEach(seconds, (count) => {
    const begin = now();
    for (let i = 0; i < count; ++i) {
      port1.postMessage(7);
      while (receiveMessageOnPort(port1) === undefined) {
      }
    }
    return now() - begin;
  });
  await worker.terminate();
  return 1e9 * each;
}
async function roundTripAtomics(seconds) {
  return 1e9 * await secondsEach(seconds, async (count) => {
    const words = new Int32Array(new SharedArrayBuffer(4));
    const worker = start('atomics', {words, count: count + 1});
    await once(worker, 'online');
    let begin = 0;
    for (let i = 0; i <= count; ++i) {
      Atomics.store(words, 0, 2 * i + 1);
      while (Atomics.load(words, 0) !== 2 * i + 2) {
      }
      if (i === 0) begin = now();  // the other is there
    }
    const elapsed = now() - begin;
    await once(worker, 'exit');
    return elapsed;
  });
}

async function throughput(seconds, producers) {
  const workers = Array.from({length: producers}, () => start('produce'));
  await Promise.all(workers.map((worker) => once(worker, 'online')));
  const each = await secondsEach(seconds, (count) => new Promise((done) => {
    const begin = now();
    let left = count;
    for (const worker of workers) {
      worker.removeAllListeners('message');
      worker.on('message', () => {
        if (--left === 0) done(now() - begin);
      });
      worker.postMessage(count / producers);
    }
  }));
  await Promise.all(workers.map((worker) => worker.terminate()));
  return 1e-6 / each;
}

async function spawn() {
  const kCount = 10;
  const begin = now();
  for (let i = 0; i < kCount; ++i) {
    const worker = start('first');
    await once(worker, 'message');
    await once(worker, 'exit');
  }
  return 1e6 * (now() - begin) / kCount;
}

async function handOver(file) {
  const worker = start('parse', file);
  const {document, start: begin} = await once(worker, 'message');
  if (document.length === 0) throw new Error('empty');
  return 1e6 * (now() - begin);
}

async function idle() {
  const kCount = 20;
  const before = process.memoryUsage().rss;
  const workers = Array.from({length: kCount}, () => start('idle'));
  await Promise.all(workers.map((worker) => once(worker, 'message')));
  return (process.memoryUsage().rss - before) / kCount;
}

async function main() {
  const [name, seconds, , , file] = process.argv.slice(2);
  const cases = {
    w1: () => roundTrip(seconds),
    w1_spin: () => roundTripSpinning(seconds),
    w1_atomics: () => roundTripAtomics(seconds),
    w2: () => throughput(seconds, 1),
    w3: () => throughput(seconds, 4),
    w4: spawn,
    w5: () => handOver(file),
    w6: idle,
  };
  if (!(name in cases)) process.exit(2);
  console.log(`value ${await cases[name]()}`);
  process.exit(0);
}

if (isMainThread) {
  main();
} else {
  roles[workerData.role](workerData.data);
}
