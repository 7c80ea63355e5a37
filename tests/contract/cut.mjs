// Cuts the calls that douse makes out of the descriptions of its API that GitHub publishes, which
// hold thousands: cut.mjs FOLDER writes one file there for each part that a server plays.
import { createRequire } from "node:module";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const require = createRequire(import.meta.url);
const parts = {
  cloud: ["api.github.com", /^\/credentials\/revoke$/],
  enterprise: [
    "ghec",
    /^\/enterprises\/\{enterprise\}\/credential-authorizations\/(revoke-all|\{username\}\/revoke)$/,
  ],
};

// GitHub's documentation has clients ask for its own media type, and its descriptions name only the
// general one that answers come in.
const asked = "application/vnd.github+json";

function nameMediaType(path) {
  for (const call of Object.values(path)) {
    for (const answer of Object.values(call.responses)) {
      const content = answer.content?.["application/json"];
      if (content) {
        answer.content[asked] = content;
      }
    }
  }
}

const folder = process.argv[2];
mkdirSync(folder, { recursive: true });
for (const [part, [name, wanted]] of Object.entries(parts)) {
  const whole = require(`@octokit/openapi/generated/${name}.deref.json`);
  const paths = Object.entries(whole.paths).filter(([path]) => wanted.test(path));
  if (paths.length === 0) {
    throw new Error(`${name} describes no call that matches ${wanted}`);
  }
  paths.forEach(([, path]) => nameMediaType(path));
  const description = {
    openapi: whole.openapi,
    info: whole.info,
    paths: Object.fromEntries(paths),
  };
  writeFileSync(join(folder, `${part}.json`), JSON.stringify(description));
}
