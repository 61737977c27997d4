'use strict';
// Sends the message of the other clients with messaging-api-messenger, on connections that are kept, and prints what it took.
const http = require('http');
const { MessengerClient } = require('messaging-api-messenger');

const [base, duration, connections] = [process.argv[2], Number(process.argv[3]), Number(process.argv[4])];
const client = MessengerClient.connect({
  accessToken: 'EAAXggzrE7uYBAM38UXko5vWxi98mZCgH2klIHSwd',
  origin: base,
  onRequest: () => {},
});
client.axios.defaults.httpAgent = new http.Agent({ keepAlive: true, maxSockets: connections });

async function load(milliseconds) {
  let sends = 0;
  const began = process.hrtime.bigint();
  const cpu = process.cpuUsage();
  const elapsed = () => Number(process.hrtime.bigint() - began) / 1e9;
  const worker = async () => {
    while (elapsed() * 1000 < milliseconds) {
      await client.sendText('5275811702471834', 'hello there, this is a message of an ordinary length');
      sends += 1;
    }
  };
  await Promise.all(Array.from({ length: connections }, worker));
  const used = process.cpuUsage(cpu);
  return { sends, seconds: elapsed(), cpu_seconds: (used.user + used.system) / 1e6 };
}

load(500)
  .then(() => load(duration))
  .then(result => console.log(JSON.stringify(result)))
  .catch(err => {
    console.error(err.message);
    process.exitCode = 1;
  });
