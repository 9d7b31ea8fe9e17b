// The golden streams of codec, read by the stream helpers of the official SDKs. The server behind OCTOPUS_URL lists them
// under /streams and serves each under a base URL of its own; what the helper has in the end must be what the events say.
import assert from 'node:assert/strict';
import Anthropic from '@anthropic-ai/sdk';
import OpenAI from 'openai';
import { run } from './cases.mjs';

const url = process.env.OCTOPUS_URL;
const key = process.env.OCTOPUS_KEY;

const streams = await (await fetch(`${url}/streams`)).json();

const helpers = { cc: chat, rs: responses, am: messages };

await run(
  Object.fromEntries(
    streams.map(({ name, client, request, fails }) => [
      name,
      async () => {
        const outcome = helpers[client](`${url}/${name}`, { ...request, stream: undefined });
        if (fails) {
          await assert.rejects(outcome);
        } else {
          await outcome;
        }
      },
    ]),
  ),
);

async function chat(base, request) {
  const openai = new OpenAI({ baseURL: `${base}/v1`, apiKey: key, maxRetries: 0 });
  const said = { content: '', refusal: '', input: [] };
  let reason;
  // A request in the form of Responses is one that this helper can't read; the answer is Chat's all the same.
  const body = request.messages ? request : { model: request.model, messages: [] };
  const stream = openai.chat.completions.stream(body);
  stream.on('chunk', ({ choices: [choice] }) => {
    said.content += choice?.delta.content ?? '';
    said.refusal += choice?.delta.refusal ?? '';
    for (const call of choice?.delta.tool_calls ?? []) {
      said.input[call.index] = (said.input[call.index] ?? '') + (call.function?.arguments ?? call.custom?.input ?? '');
    }
    reason ??= choice?.finish_reason;
  });
  const { choices, usage } = await stream.finalChatCompletion();
  const { message, finish_reason } = choices[0];
  assert.equal(choices.length, 1);
  assert.equal(finish_reason, reason);
  assert.equal(message.content ?? '', said.content);
  assert.equal(message.refusal ?? '', said.refusal);
  assert.equal(Boolean(usage), Boolean(request.stream_options?.include_usage));
  if (message.function_call) {
    JSON.parse(message.function_call.arguments);
    return;
  }
  const calls = message.tool_calls ?? [];
  assert.deepEqual(calls.map((call) => call.function?.arguments ?? call.custom.input), said.input);
  if (reason === 'tool_calls') {
    assert.notEqual(calls.length, 0);
    calls.filter((call) => call.type === 'function').forEach((call) => JSON.parse(call.function.arguments));
  }
}

async function responses(base, request) {
  const openai = new OpenAI({ baseURL: `${base}/v1`, apiKey: key, maxRetries: 0 });
  let text = '';
  const items = [];
  const stream = openai.responses.stream(request);
  stream.on('event', (event) => {
    if (event.type === 'response.output_text.delta') {
      text += event.delta;
    } else if (event.type === 'response.output_item.done') {
      items[event.output_index] = event.item;
    }
  });
  const response = await stream.finalResponse();
  // The helper doesn't throw for a response that failed.
  assert.notEqual(response.status, 'failed', response.error?.message);
  assert.equal(response.output_text, text);
  assert.deepEqual(response.output.map(({ id, type }) => ({ id, type })), items.map(({ id, type }) => ({ id, type })));
  for (const item of response.output) {
    if (item.type === 'function_call' && item.status === 'completed') {
      JSON.parse(item.arguments);
    }
  }
}

async function messages(base, request) {
  const anthropic = new Anthropic({ baseURL: base, apiKey: key, maxRetries: 0 });
  const said = [];
  const stream = anthropic.messages.stream(request);
  stream.on('streamEvent', (event) => {
    if (event.type === 'content_block_start') {
      said.push({ type: event.content_block.type, text: '' });
    } else if (event.type === 'content_block_delta') {
      said.at(-1).text += event.delta.text ?? event.delta.thinking ?? event.delta.partial_json ?? '';
    }
  });
  const message = await stream.finalMessage();
  assert.notEqual(message.stop_reason, null);
  assert.deepEqual(message.content.map(({ type }) => type), said.map(({ type }) => type));
  message.content.forEach((block, i) => {
    const { type, text } = said[i];
    if (type === 'text' || type === 'thinking') {
      assert.equal(block[type], text);
    } else if (type === 'tool_use' && message.stop_reason === 'tool_use') {
      assert.deepEqual(block.input, text === '' ? {} : JSON.parse(text));
    }
    assert.notEqual(type === 'thinking' && block.signature, '');
  });
}
