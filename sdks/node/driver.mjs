// One Node SDK, any version from 4 on: does a job file's cases and prints what it saw.
//
//   node driver.mjs FOLDER JOB      FOLDER holds node_modules/openai
//
// Job and answer are those of the Python driver (see ../python/driver.py), without the way `async`:
// this client has no other. Nothing here judges. Retries are off.

import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

const [folder, jobFile] = process.argv.slice(2);
const require = createRequire(`${folder}/package.json`);
const { OpenAI } = require("openai");
const { version } = JSON.parse(readFileSync(`${folder}/node_modules/openai/package.json`));

/** The view that `way` fills, with the exception that ended it. */
async function seen(way, client, example) {
  const view = { choices: {} };
  try {
    await way(client, example, view);
  } catch (error) {
    view.error = told(error);
  }
  return view;
}

/** `create`, and the loop over chunks that every tutorial prints. */
async function call(client, example, view) {
  const body = { ...example.arguments, stream: example.stream };
  const answer = await surface(client, example).create(body);
  if (!example.stream) return read(answer, view);
  view.chunks = 0;
  for await (const chunk of answer) add(chunk, view);
}

/** Status and header fields, and the answer parsed from the same response. */
async function raw(client, example, view) {
  const promise = surface(client, example).create(example.arguments);
  const { data, response } = await promise.withResponse();
  view.status = response.status;
  view.headers = [...response.headers.entries()];
  view.request_id = data?._request_id ?? null;
  read(data, view);
}

/** The streaming helper of chat completions, where this version has one. */
async function helper(client, example, view) {
  const found = [client.chat.completions, client.beta?.chat?.completions].find((each) => each?.stream);
  if (!found || example.surface !== "chat") {
    view.absent = true;
    return;
  }
  const completion = await found.stream(example.arguments).finalChatCompletion();
  read(completion, view);
}

/** The method's resource. */
function surface(client, example) {
  return example.surface === "chat" ? client.chat.completions : client.completions;
}

/** A whole answer, by the members that users write. */
function read(answer, view) {
  for (const choice of answer.choices) {
    view.choices[String(choice.index)] = {
      text: choice.message === undefined ? choice.text : choice.message.content,
      finish: choice.finish_reason,
      tools: (choice.message?.tool_calls ?? []).map(callOf),
    };
  }
  Object.assign(view, { id: answer.id, model: answer.model, usage: usageOf(answer) });
}

/** One chunk; tool calls are gathered by index, as the function calling guide does it. */
function add(chunk, view) {
  view.chunks += 1;
  view.id = chunk.id;
  for (const choice of chunk.choices) {
    const slot = (view.choices[String(choice.index)] ??= { text: "", finish: null, tools: [], indices: [] });
    slot.text += (choice.delta === undefined ? choice.text : choice.delta.content) ?? "";
    slot.finish = choice.finish_reason ?? slot.finish;
    for (const part of choice.delta?.tool_calls ?? []) gather(slot, part);
  }
  view.usage = usageOf(chunk) ?? view.usage ?? null;
}

/** One piece of a tool call into the call with its index. */
function gather(slot, part) {
  const at = slot.indices.indexOf(part.index);
  if (at < 0) {
    slot.indices.push(part.index);
    slot.tools.push(callOf(part));
  } else {
    slot.tools[at].arguments += part.function?.arguments ?? "";
  }
}

/** A tool call, or the first piece of one. */
function callOf(part) {
  return { id: part.id, name: part.function.name, arguments: part.function.arguments ?? "" };
}

/** The token counts, as they are. */
function usageOf(answer) {
  const usage = answer.usage;
  if (usage === undefined || usage === null) return null;
  const { prompt_tokens, completion_tokens, total_tokens } = usage;
  return { prompt_tokens, completion_tokens, total_tokens };
}

/** An exception: its class, its words, and the attributes that the SDK fills. */
function told(error) {
  const plain = (value) => (value === undefined ? null : value);
  return {
    class: error?.constructor?.name ?? typeof error,
    message: String(error?.message ?? error),
    status_code: plain(error?.status),
    code: plain(error?.code),
    param: plain(error?.param),
    type: plain(error?.type),
    request_id: plain(error?.requestID ?? error?.request_id),
  };
}

const job = JSON.parse(readFileSync(jobFile));
const views = {};
for (const example of job.cases) {
  const client = new OpenAI({
    apiKey: job.key,
    baseURL: example.base_url,
    maxRetries: 0,
    timeout: job.timeout * 1000,
  });
  const ways = (views[example.id] = { call: await seen(call, client, example) });
  if (!example.live) {
    const other = example.stream ? { helper } : { raw };
    for (const [name, way] of Object.entries(other)) ways[name] = await seen(way, client, example);
  }
}
process.stdout.write(JSON.stringify({ version, views }));
