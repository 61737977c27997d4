// Fails on any error or warning of redocly's recommended rules; it ends with 0 on warnings by itself.
import { spawnSync } from "node:child_process";

const run = spawnSync("node_modules/.bin/redocly", ["lint", "--extends", "recommended", "--format", "json", process.argv[2]], {
  encoding: "utf8",
  maxBuffer: 64 << 20,
});
const report = JSON.parse(run.stdout.slice(run.stdout.indexOf("{")));
for (const p of report.problems) console.error(`${p.severity} ${p.ruleId}: ${p.message} at ${p.location?.[0]?.pointer}`);
if (report.totals.errors + report.totals.warnings > 0 || report.problems.length > 0) process.exit(1);
console.log("redocly's recommended rules: no error, no warning");
