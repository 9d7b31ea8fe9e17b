// OpenAI Chat Completions with the npm package openai.
import assert from 'node:assert/strict';
import { run } from './cases.mjs';
import { chatBody, collect, inputTokens, openai, outputTokens, said, scripted, weather } from './gateway.mjs';

const completions = openai.chat.completions;

const tools = [
  {
    type: 'function',
    function: { name: weather.name, description: weather.description, parameters: weather.schema, strict: true },
  },
];

function checkUsage(usage, message) {
  assert.equal(usage.prompt_tokens, inputTokens(message));
  assert.equal(usage.completion_tokens, outputTokens(message));
  assert.equal(usage.total_tokens, inputTokens(message) + outputTokens(message));
}

// The text of a stream, whose chunks must be one answer's: one id, one model, role first, one finish reason.
function textOf(chunks) {
  const [first] = chunks;
  assert.equal(first.choices[0].delta.role, 'assistant');
  for (const chunk of chunks) {
    assert.equal(chunk.object, 'chat.completion.chunk');
    assert.equal(chunk.id, first.id);
    assert.equal(chunk.model, first.model);
  }
  const reasons = chunks.flatMap((chunk) => chunk.choices.map((choice) => choice.finish_reason)).filter(Boolean);
  assert.deepEqual(reasons, ['stop']);
  return chunks.map((chunk) => chunk.choices[0]?.delta.content ?? '').join('');
}

await run({
  'create answers with text, usage and a request id': async () => {
    const answer = await completions.create(chatBody('Hello'));
    assert.equal(answer.object, 'chat.completion');
    assert.equal(answer.choices.length, 1);
    assert.equal(answer.choices[0].message.content, said('Hello'));
    assert.equal(answer.choices[0].finish_reason, 'stop');
    checkUsage(answer.usage, 'Hello');
    assert.match(answer._request_id, /^\S{8,}$/);
  },

  'the headers say who answered': async () => {
    const body = chatBody('Hello', { model: scripted('tokens=1') });
    const { response, request_id } = await completions.create(body).withResponse();
    const header = (name) => response.headers.get(name);
    assert.equal(request_id, header('x-request-id'));
    assert.equal(header('request-id'), header('x-request-id'));
    assert.notEqual(header('x-upstream-request-id'), null);
    assert.notEqual(header('x-upstream-request-id'), header('x-request-id'));
    assert.equal(header('x-octopus-channel'), 'north');
    assert.equal(header('x-octopus-model'), 'scripted!tokens=1');
    assert.equal(header('x-octopus-attempts'), '1');
    assert.match(header('content-type'), /^application\/json/);
  },

  'a message in many scripts comes back whole': async () => {
    const message = 'Grüße 你好世界 🙂 "quoted" \\ \u2028 \u0000 end';
    const answer = await completions.create(chatBody(message));
    assert.equal(answer.choices[0].message.content, said(message));
    assert.equal(answer.usage.prompt_tokens, inputTokens(message));
  },

  'a stream gives the text in order': async () => {
    const chunks = await collect(await completions.create(chatBody('Hello', { stream: true })));
    assert.equal(textOf(chunks), said('Hello'));
  },

  'a stream without include_usage has no usage chunk': async () => {
    const chunks = await collect(await completions.create(chatBody('Hello', { stream: true })));
    assert.deepEqual(chunks.filter((chunk) => chunk.usage || chunk.choices.length === 0), []);
  },

  'a stream with include_usage ends with one': async () => {
    const options = { stream: true, stream_options: { include_usage: true } };
    const chunks = await collect(await completions.create(chatBody('Hello', options)));
    assert.equal(textOf(chunks), said('Hello'));
    assert.equal(chunks.filter((chunk) => chunk.usage).length, 1);
    assert.deepEqual(chunks.at(-1).choices, []);
    checkUsage(chunks.at(-1).usage, 'Hello');
  },

  'a stream arrives while it is being made': async () => {
    const stream = await completions.create(chatBody('Hello', { model: scripted('tokens=10,every=60ms'), stream: true }));
    const times = [];
    for await (const chunk of stream) {
      if (chunk.choices[0].delta.content) {
        times.push(performance.now());
      }
    }
    // Ten tokens take 540 ms; held back until the end they would come at once.
    const spread = times.at(-1) - times[0];
    assert.ok(spread > 300, `all ${times.length} tokens came within ${spread} ms`);
  },

  '.stream() accumulates the answer': async () => {
    const stream = completions.stream(chatBody('Hello', { stream_options: { include_usage: true } }));
    const deltas = [];
    stream.on('content', (delta, snapshot) => {
      deltas.push(delta);
      assert.equal(deltas.join(''), snapshot);
    });
    const answer = await stream.finalChatCompletion();
    assert.equal(deltas.join(''), said('Hello'));
    assert.equal(await stream.finalContent(), said('Hello'));
    assert.equal(answer.choices[0].message.content, said('Hello'));
    assert.equal(answer.choices[0].finish_reason, 'stop');
    checkUsage(await stream.totalUsage(), 'Hello');
  },

  'a stream of two choices': async () => {
    const answer = await completions.stream(chatBody('Hello', { n: 2 })).finalChatCompletion();
    assert.deepEqual(answer.choices.map((choice) => choice.index), [0, 1]);
    assert.deepEqual(answer.choices.map((choice) => choice.message.content), [said('Hello'), said('Hello')]);
  },

  'the output limit ends the answer': async () => {
    const answer = await completions.create(chatBody('Hello', { max_completion_tokens: 4 }));
    assert.equal(answer.choices[0].message.content, said('Hello', 4));
    assert.equal(answer.choices[0].finish_reason, 'length');
  },

  'a tool call': async () => {
    const answer = await completions.create(chatBody('Hello', { model: scripted('tools'), tools }));
    const [call, ...more] = answer.choices[0].message.tool_calls;
    assert.deepEqual(more, []);
    assert.equal(call.function.name, weather.name);
    assert.deepEqual(JSON.parse(call.function.arguments), weather.arguments);
    assert.equal(answer.choices[0].finish_reason, 'tool_calls');
  },

  'three parallel tool calls in a stream': async () => {
    const stream = completions.stream(chatBody('Hello', { model: scripted('calls=3'), tools }));
    const message = await stream.finalMessage();
    assert.equal(new Set(message.tool_calls.map((call) => call.id)).size, 3);
    for (const call of message.tool_calls) {
      assert.equal(call.type, 'function');
      assert.equal(call.function.name, weather.name);
      assert.deepEqual(JSON.parse(call.function.arguments), weather.arguments);
    }
  },

  'runTools calls the function and sends its result': async () => {
    await checkRunner(false);
  },

  'runTools does so with streams': async () => {
    await checkRunner(true);
  },

  'parse reads structured arguments': async () => {
    const answer = await completions.parse(chatBody('Hello', { model: scripted('tools'), tools }));
    assert.deepEqual(answer.choices[0].message.tool_calls[0].function.parsed_arguments, weather.arguments);
  },

  'reasoning of other vendors passes': async () => {
    const stream = await completions.create(chatBody('Hello', { model: scripted('reasoning=6,tokens=2'), stream: true }));
    const chunks = await collect(stream);
    const thought = chunks.map((chunk) => chunk.choices[0].delta.reasoning_content ?? '').join('');
    assert.equal(thought, 'The script wants me to think,');
    assert.equal(textOf(chunks), said('Hello', 2));
  },

  'a refusal': async () => {
    const body = chatBody('Hello', { model: scripted('refusal') });
    const answer = await completions.create(body);
    assert.equal(answer.choices[0].message.content, null);
    assert.match(answer.choices[0].message.refusal, /can't help with that\.$/);
    const streamed = await completions.stream(body).finalMessage();
    assert.equal(streamed.refusal, answer.choices[0].message.refusal);
  },

  'an answer of a megabyte': async () => {
    const answer = await completions.create(chatBody('Hello', { model: scripted('size=1000000') }));
    assert.ok(answer.choices[0].message.content === said('Hello', 200_000).slice(0, 1_000_000));
  },

  'a burst of events': async () => {
    const body = chatBody('Hello', { model: scripted('tokens=10000,burst'), stream: true });
    const chunks = await collect(await completions.create(body));
    assert.ok(textOf(chunks) === said('Hello', 10_000));
  },

  'events cut at every byte, with CR LF and comments': async () => {
    const model = scripted('split=1,crlf,comments,tokens=20');
    const chunks = await collect(await completions.create(chatBody('你好', { model, stream: true })));
    assert.equal(textOf(chunks), said('你好', 20));
  },
});

async function checkRunner(stream) {
  const asked = [];
  const runnable = {
    type: 'function',
    function: {
      name: weather.name,
      description: weather.description,
      parameters: weather.schema,
      parse: JSON.parse,
      function: (args) => {
        asked.push(args);
        return 'sunny';
      },
    },
  };
  // The script calls a function in each answer, so the runner stops at its own limit.
  const runner = completions.runTools(chatBody('Hello', { model: scripted('tools'), tools: [runnable], stream }), {
    maxChatCompletions: 2,
  });
  await runner.done();
  assert.deepEqual(asked, [weather.arguments, weather.arguments]);
  assert.deepEqual(runner.messages.map((message) => message.role), ['user', 'assistant', 'tool', 'assistant', 'tool']);
  assert.equal(runner.messages.at(-1).content, 'sunny');
}
