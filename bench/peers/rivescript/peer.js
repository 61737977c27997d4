// Answers as many inputs as it can with npm's rivescript: node peer.js SCRIPT INPUTS SECONDS, both files as main.go writes them. Prints one line of JSON.
const fs = require("fs");
const RiveScript = require("rivescript");

async function main() {
  const [script, inputs, seconds] = process.argv.slice(2);
  const bot = new RiveScript();
  const begun = process.hrtime.bigint();
  bot.stream(fs.readFileSync(script, "utf8"));
  bot.sortReplies();
  const load = Number(process.hrtime.bigint() - begun) / 1e9;
  const lines = JSON.parse(fs.readFileSync(inputs, "utf8"));
  const first = [];
  for (const line of lines.slice(0, 20)) first.push(await bot.reply("warm", line));
  const start = process.hrtime.bigint();
  let replies = 0, took = 0;
  do {
    await bot.reply("u", lines[replies % lines.length]);
    replies++;
    took = Number(process.hrtime.bigint() - start) / 1e9;
  } while (took < Number(seconds));
  console.log(JSON.stringify({ load, replies, seconds: took, first }));
}

main();
