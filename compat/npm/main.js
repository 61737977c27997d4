// Calls every method of both versions of the client against the emulated
// platform that the JSON file describes, with and without appsecret_proof.
'use strict';

const fs = require('fs');
const http = require('http');
const os = require('os');
const path = require('path');
const { Account } = require('./check');

// serve is the business's own server: the webhook, and the files that are sent
// by address.
function serve(folder) {
  const got = [];
  const server = http.createServer((req, res) => {
    const url = new URL(req.url, 'http://localhost');
    if (url.pathname === '/webhook') {
      if (req.method === 'GET') {
        res.statusCode = url.searchParams.get('hub.verify_token') === 'verify-me' ? 200 : 403;
        res.end(url.searchParams.get('hub.challenge'));
        return;
      }
      const parts = [];
      req.on('data', (d) => parts.push(d)).on('end', () => { got.push(Buffer.concat(parts).toString()); res.end(); });
      return;
    }
    const file = path.join(folder, path.basename(url.pathname));
    if (!fs.existsSync(file)) { res.statusCode = 404; res.end(); return; }
    res.end(fs.readFileSync(file));
  });
  return new Promise((ready) => server.listen(0, '127.0.0.1', () => ready({ server, got, base: `http://127.0.0.1:${server.address().port}` })));
}

async function main() {
  const emulator = JSON.parse(fs.readFileSync(process.argv[2], 'utf8'));
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'compat-'));
  for (const name of ['sound.mp3', 'picture.png', 'film.mp4', 'paper.pdf']) fs.writeFileSync(path.join(folder, name), 'content of ' + name);
  const { server, base } = await serve(folder);
  const env = {
    origin: emulator.platform, token: emulator.page_access_token, page: emulator.page_id, app: emulator.app_id, secret: emulator.app_secret,
    other: emulator.other_app_id, adAccount: emulator.ad_account, ana: emulator.people[0].id, ben: emulator.people[1].id,
    base, callback: base + '/webhook', file: (name) => path.join(folder, name),
  };
  const silent = console.warn;
  console.warn = () => {}; // the clients warn of what is deprecated
  const accounts = [];
  for (const [name, run] of [['0.8.5', require('./old')], ['1.1.0', require('./new')]]) {
    for (const [how, config] of [['with proof', {}], ['without proof', { skipAppSecretProof: true }]]) {
      const a = new Account(`${name} ${how}`);
      accounts.push(a);
      try {
        await run(a, env, config);
      } catch (err) {
        a.fail('the run', err.stack);
      }
    }
  }
  console.warn = silent;
  server.close();
  fs.rmSync(folder, { recursive: true });
  for (const a of accounts) {
    console.log(`${a.name}: ${a.called.size} methods and factories, ${a.checks} checks, ${a.failures.length} failures`);
    for (const f of a.failures) console.log('  ' + f);
  }
  process.exit(accounts.some((a) => a.failures.length) ? 1 : 0);
}

main();
