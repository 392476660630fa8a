// Runs inside the Node SDKs' folder: reads calls as JSON lines, makes them with an SDK, answers.
// A call is {sdk, method, request, fields, files}, or {sdk, method, query, body, headers} by path.
"use strict";
const { createRequire } = require("module");
const { Readable } = require("stream");
const readline = require("readline");

const setup = JSON.parse(process.argv[2]);
const load = createRequire(setup.prefix + "/package.json");

function current() {
  const sdk = load("@alicloud/imagesearch20201214");
  const core = load("@alicloud/openapi-core");
  const config = new core.$OpenApiUtil.Config({
    accessKeyId: setup.id,
    accessKeySecret: setup.secret,
    endpoint: setup.endpoint,
    protocol: setup.protocol,
    regionId: "cn-shanghai",
    ca: setup.ca,
  });
  const client = new sdk.default(config);
  client._openPlatformEndpoint = setup.endpoint;
  return { sdk, client };
}

function byPath(name) {
  const Client = load("@alicloud/" + name);
  return new Client({
    accessKeyId: setup.id,
    accessKeySecret: setup.secret,
    endpoint: `${setup.protocol}://${setup.endpoint}`,
  });
}

async function make(call) {
  if (call.sdk !== "current") {
    const client = byPath(call.sdk);
    const rest = [call.body, call.headers || {}];
    return call.query ? client[call.method](call.query, ...rest) : client[call.method](...rest);
  }
  const { sdk, client } = current();
  const request = new sdk[call.request](call.fields);
  for (const [name, content] of Object.entries(call.files || {})) {
    request[name] = Readable.from([Buffer.from(content, "base64")]);
  }
  if (call.method.endsWith("Advance")) {
    const { RuntimeOptions } = load("@alicloud/tea-util");
    const answer = await client[call.method](request, new RuntimeOptions({ ca: setup.ca }));
    return answer.body;
  }
  return (await client[call.method](request)).body;
}

async function main() {
  for await (const line of readline.createInterface({ input: process.stdin })) {
    let answer;
    try {
      answer = { body: await make(JSON.parse(line)) };
    } catch (error) {
      const { name, code, message, statusCode } = error;
      answer = { error: { type: name, code, message, status: statusCode } };
    }
    process.stdout.write(JSON.stringify(answer) + "\n");
  }
}

main();
