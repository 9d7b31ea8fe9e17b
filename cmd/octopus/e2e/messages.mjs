// Anthropic Messages with the npm package @anthropic-ai/sdk.
import Anthropic from '@anthropic-ai/sdk';
import assert from 'node:assert/strict';
import { run } from './cases.mjs';
import { anthropic, collect, inputTokens, messagesBody, outputTokens, said, scripted, weather } from './gateway.mjs';

const { messages } = anthropic;

const tools = [{ name: weather.name, description: weather.description, input_schema: weather.schema }];

function checkUsage(usage, message) {
  assert.equal(usage.input_tokens, inputTokens(message));
  assert.equal(usage.output_tokens, outputTokens(message));
}

function checkMessage(answer, message) {
  assert.equal(answer.type, 'message');
  assert.equal(answer.role, 'assistant');
  assert.deepEqual(answer.content.map((block) => [block.type, block.text]), [['text', said(message)]]);
  assert.equal(answer.stop_reason, 'end_turn');
  checkUsage(answer.usage, message);
}

await run({
  'create answers with text, usage and a request id': async () => {
    const answer = await messages.create(messagesBody('Hello'));
    checkMessage(answer, 'Hello');
    assert.match(answer._request_id, /^\S{8,}$/);
  },

  'the SDK calls as version 2026-10-21, with a bearer token': async () => {
    const sent = {};
    const fetchAndKeep = (url, init) => {
      new Headers(init.headers).forEach((value, name) => (sent[name] = value));
      return fetch(url, init);
    };
    await anthropic.withOptions({ fetch: fetchAndKeep }).messages.create(messagesBody('Hello'));
    assert.equal(sent['anthropic-version'], '2026-10-21');
    assert.match(sent.authorization, /^Bearer /);
    assert.equal(sent['x-api-key'], undefined);
  },

  'so do older versions, with x-api-key': async () => {
    const older = new Anthropic({
      baseURL: anthropic.baseURL,
      apiKey: null,
      defaultHeaders: { 'x-api-key': anthropic.apiKey, 'anthropic-version': '2023-06-01', authorization: null },
    });
    checkMessage(await older.messages.create(messagesBody('Hello')), 'Hello');
  },

  'the headers say who answered': async () => {
    const body = messagesBody('Hello', { model: scripted('tokens=1') });
    const { response, request_id } = await messages.create(body).withResponse();
    const header = (name) => response.headers.get(name);
    assert.equal(request_id, header('request-id'));
    assert.equal(header('x-request-id'), header('request-id'));
    assert.equal(header('x-octopus-channel'), 'north');
    assert.equal(header('x-octopus-model'), 'scripted!tokens=1');
    assert.equal(header('x-octopus-attempts'), '1');
  },

  'a message in many scripts comes back whole': async () => {
    const content = 'Grüße 你好世界 🙂 "quoted" \\ \u2028 end';
    const answer = await messages.create(messagesBody([{ type: 'text', text: content }], { system: 'Be kind.' }));
    assert.equal(answer.content[0].text, said(content));
  },

  'a stream gives the events in order': async () => {
    const events = await collect(await messages.create(messagesBody('Hello', { stream: true })));
    const kinds = events.map((event) => event.type).filter((type, i, all) => type !== all[i - 1]);
    assert.deepEqual(kinds, [
      'message_start',
      'content_block_start',
      'content_block_delta',
      'content_block_stop',
      'message_delta',
      'message_stop',
    ]);
    const text = events.filter((event) => event.type === 'content_block_delta').map((event) => event.delta.text);
    assert.equal(text.join(''), said('Hello'));
    assert.equal(events.at(-2).usage.output_tokens, outputTokens('Hello'));
  },

  '.stream() accumulates the message': async () => {
    const stream = messages.stream(messagesBody('Hello'));
    let text = '';
    stream.on('text', (delta, snapshot) => {
      text += delta;
      assert.equal(snapshot, text);
    });
    checkMessage(await stream.finalMessage(), 'Hello');
    assert.equal(text, said('Hello'));
    assert.equal(await stream.finalText(), said('Hello'));
    assert.match(stream.request_id, /^\S{8,}$/);
  },

  'the output limit ends the answer': async () => {
    const answer = await messages.create(messagesBody('Hello', { max_tokens: 4 }));
    assert.equal(answer.content[0].text, said('Hello', 4));
    assert.equal(answer.stop_reason, 'max_tokens');
  },

  'a tool call': async () => {
    const answer = await messages.create(messagesBody('Hello', { model: scripted('tools'), tools }));
    assert.equal(answer.stop_reason, 'tool_use');
    assert.deepEqual(answer.content.map((block) => [block.type, block.name]), [['tool_use', weather.name]]);
    assert.deepEqual(answer.content[0].input, weather.arguments);
  },

  'three tool calls behind text in a stream': async () => {
    const stream = messages.stream(messagesBody('Hello', { model: scripted('tokens=3,calls=3'), tools }));
    const answer = await stream.finalMessage();
    const [text, ...calls] = answer.content;
    assert.equal(text.text, said('Hello', 3));
    assert.equal(new Set(calls.map((call) => call.id)).size, 3);
    assert.deepEqual(calls.map((call) => call.input), [weather.arguments, weather.arguments, weather.arguments]);
  },

  'the tool runner calls the function and sends its result': async () => {
    await checkRunner({ stream: false, thread: false }, 2);
  },

  'the tool runner does so with streams': async () => {
    await checkRunner({ stream: true, thread: false }, 2);
  },

  'the tool runner keeps its thread at the provider': async () => {
    // The second turn carries no tools: the script, which remembers nothing, calls another one.
    await checkRunner({ stream: true }, 1);
  },

  'thinking comes before the text, with its signature': async () => {
    const extra = { model: scripted('reasoning=6,tokens=2'), thinking: { type: 'enabled', budget_tokens: 1023 } };
    const whole = await messages.create(messagesBody('Hello', extra));
    const streamed = await messages.stream(messagesBody('Hello', extra)).finalMessage();
    for (const answer of [whole, streamed]) {
      assert.deepEqual(answer.content.map((block) => block.type), ['thinking', 'text']);
      assert.equal(answer.content[0].thinking, 'The script wants me to think,');
      assert.equal(answer.content[0].signature, whole.content[0].signature);
      assert.equal(answer.content[1].text, said('Hello', 2));
    }
  },

  'cached tokens are counted apart': async () => {
    const content = 'x'.repeat(400);
    const body = messagesBody(content, { model: scripted('cached=64,cachewrite=32,tokens=1') });
    for (const { usage } of [await messages.create(body), await messages.stream(body).finalMessage()]) {
      assert.equal(usage.cache_read_input_tokens, 64);
      assert.equal(usage.cache_creation_input_tokens, 32);
      assert.equal(usage.input_tokens, inputTokens(content) - 96);
    }
  },

  'an answer of a megabyte': async () => {
    const answer = await messages.create(messagesBody('Hello', { model: scripted('size=1000000') }));
    assert.ok(answer.content[0].text === said('Hello', 200_000).slice(0, 1_000_000));
  },

  'a burst of events': async () => {
    const text = await messages.stream(messagesBody('Hello', { model: scripted('tokens=10000,burst') })).finalText();
    assert.ok(text === said('Hello', 10_000));
  },

  'events cut at every byte, with CR LF and comments': async () => {
    const body = messagesBody('你好', { model: scripted('split=1,crlf,comments') });
    checkMessage(await messages.stream(body).finalMessage(), '你好');
  },

  'tokens are counted': async () => {
    const { max_tokens, ...body } = messagesBody('Hello');
    const counted = await messages.countTokens(body);
    assert.equal(counted.input_tokens, inputTokens('Hello'));
  },
});

async function checkRunner(extra, runs) {
  const asked = [];
  const tool = {
    type: 'custom',
    ...tools[0],
    parse: (input) => input,
    run: (input) => {
      asked.push(input);
      return 'sunny';
    },
  };
  // The script calls a function in each answer, so the runner stops at its own limit.
  const runner = anthropic.beta.messages.toolRunner({
    ...messagesBody('Hello', { model: scripted('tools') }),
    tools: [tool],
    max_iterations: 2,
    ...extra,
  });
  const last = await runner.runUntilDone();
  assert.deepEqual(asked, Array(runs).fill(weather.arguments));
  assert.equal(last.stop_reason, 'tool_use');
  const roles = runner.params.messages.slice(0, 4).map((message) => message.role);
  assert.deepEqual(roles, ['user', 'assistant', 'user', 'assistant']);
  assert.equal(runner.params.messages[2].content[0].content, 'sunny');
}
