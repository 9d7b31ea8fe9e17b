// The npm package openai, Chat Completions.
import assert from 'node:assert/strict';
import { openai, outputTokens, said, weather } from '../gateway.mjs';
import { forecastsFor, runSuite, scripted } from './suite.mjs';

const { completions } = openai.chat;

const tool = {
  type: 'function',
  function: { name: weather.name, description: weather.description, parameters: weather.schema, strict: true },
};

function bodyOf({ model, text, system, image, limit, stop, schema }) {
  const content = image ? [{ type: 'text', text }, { type: 'image_url', image_url: { url: image } }] : text;
  return {
    model,
    messages: [...(system ? [{ role: 'system', content: system }] : []), { role: 'user', content }],
    ...(limit && { max_completion_tokens: limit }),
    ...(stop && { stop }),
    ...(schema && { response_format: { type: 'json_schema', json_schema: { name: 'forecast', schema, strict: true } } }),
  };
}

async function complete(body, stream) {
  if (!stream) {
    return completions.create(body);
  }
  const runner = completions.stream({ ...body, stream_options: { include_usage: true } });
  // The SDK does not join what it does not know.
  let thought = '';
  const details = [];
  runner.on('chunk', (chunk) => {
    const delta = chunk.choices[0]?.delta;
    thought += delta?.reasoning_content ?? '';
    for (const { index, text, ...detail } of delta?.reasoning_details ?? []) {
      details[index] = { ...details[index], ...detail, index, ...(text && { text: (details[index]?.text ?? '') + text }) };
    }
  });
  const answer = await runner.finalChatCompletion();
  Object.assign(answer.choices[0].message, {
    reasoning_content: thought || undefined,
    reasoning_details: details.length > 0 ? details : undefined,
  });
  return answer;
}

// Returns a message as it goes into the history: without what the SDK parsed.
function historic({ content, tool_calls: calls, reasoning_content, reasoning_details }) {
  const plain = calls?.map(({ id, type, function: { name, arguments: text } }) => ({
    id,
    type,
    function: { name, arguments: text },
  }));
  return { role: 'assistant', content, tool_calls: plain, reasoning_content, reasoning_details };
}

function read(answer) {
  const [{ message, finish_reason }] = answer.choices;
  return {
    text: message.content,
    stop: message.refusal ? 'refused' : { stop: 'end', length: 'limit', content_filter: 'refused' }[finish_reason],
    usage: {
      input: answer.usage.prompt_tokens,
      output: answer.usage.completion_tokens,
      cached: answer.usage.prompt_tokens_details?.cached_tokens,
      written: answer.usage.prompt_tokens_details?.cache_write_tokens,
      reasoning: answer.usage.completion_tokens_details?.reasoning_tokens,
    },
  };
}

const library = {
  speaks: 'chat',
  stops: true,
  thinks: true,
  cuts: true,

  ask: async (ask, stream) => {
    // The SDK's stream() refuses limited JSON answers; create() does not.
    if (stream && ask.limit) {
      return askInChunks(bodyOf(ask));
    }
    return read(await complete(bodyOf(ask), stream));
  },

  loop: async ({ thinks, ...ask }, stream) => {
    const body = { ...bodyOf(ask), tools: [tool], ...(thinks && { reasoning_effort: 'medium' }) };
    const calls = [];
    for (;;) {
      const [{ message, finish_reason }] = (await complete(body, stream)).choices;
      if (!message.tool_calls) {
        assert.equal(finish_reason, 'stop');
        return { text: message.content, calls };
      }
      assert.equal(finish_reason, 'tool_calls');
      calls.push(...message.tool_calls.map((call) => JSON.parse(call.function.arguments)));
      const contents = forecastsFor(message.tool_calls);
      const results = message.tool_calls.map(({ id }, i) => ({ role: 'tool', tool_call_id: id, content: contents[i] }));
      body.messages = [...body.messages, historic(message), ...results];
    }
  },

  remember: async (ask, stream) => {
    const body = { ...bodyOf(ask), reasoning_effort: 'medium' };
    const first = await complete(body, stream);
    const [{ message }] = first.choices;
    body.messages = [...body.messages, historic(message), { role: 'user', content: 'Again' }];
    const second = await complete(body, stream);
    return { thought: message.reasoning_content, text: second.choices[0].message.content, usage: read(first).usage };
  },

  failure: ({ status, message }) => ({ status, message }),
};

// Returns the message that answers the first call of another.
const resultOf = ({ tool_calls: [{ id }] }) => ({ role: 'tool', tool_call_id: id, content: 'sunny' });

async function askInChunks(body) {
  let text = '';
  let reason;
  for await (const chunk of await completions.create({ ...body, stream: true })) {
    text += chunk.choices[0]?.delta.content ?? '';
    reason = chunk.choices[0]?.finish_reason ?? reason;
  }
  return { text, stop: reason === 'length' ? 'limit' : 'end' };
}

// Fields that the provider's protocol has no place for are refused by name.
const refused = {
  chat: {},
  responses: { n: 2, modalities: ['text', 'audio'] },
  messages: { n: 2, logprobs: true, modalities: ['text', 'audio'] },
};

await runSuite(library, (upstream) => ({
  ...Object.fromEntries(
    Object.entries(refused[upstream]).map(([field, value]) => [
      `${field} is refused`,
      async () => {
        const body = { ...bodyOf({ model: `via-${upstream}`, text: 'Hello' }), [field]: value };
        await assert.rejects(completions.create(body), (error) => {
          assert.deepEqual([error.status, error.param], [400, field]);
          assert.match(error.message, new RegExp(field));
          return true;
        });
      },
    ]),
  ),

  'dropped fields are told': async () => {
    const body = { ...bodyOf({ model: `via-${upstream}`, text: 'Hello' }), seed: 7 };
    const { response } = await completions.create(body).withResponse();
    const warnings = response.headers.get('x-octopus-warnings');
    assert.equal(warnings?.includes('seed') ?? false, upstream !== 'chat');
  },

  'functions, as they once were': async () => {
    const { parameters, name } = tool.function;
    const body = { ...bodyOf({ model: scripted(upstream, 'tools,rounds=1'), text: 'Hello' }), functions: [{ name, parameters }] };
    const [{ message, finish_reason }] = (await completions.create(body)).choices;
    assert.deepEqual([finish_reason, message.function_call.name], ['function_call', name]);
    assert.deepEqual(JSON.parse(message.function_call.arguments), weather.arguments);
    body.messages = [...body.messages, message, { role: 'function', name, content: 'sunny' }];
    assert.match((await completions.create(body)).choices[0].message.content, /Your tools said: sunny$/);
  },

  'calls that are forced': async () => {
    const named = { type: 'function', function: { name: weather.name } };
    for (const tool_choice of ['required', named]) {
      const body = bodyOf({ model: `via-${upstream}`, text: 'Hello' });
      Object.assign(body, { tools: [tool], tool_choice, parallel_tool_calls: false });
      const [{ message, finish_reason }] = (await completions.create(body)).choices;
      assert.deepEqual([finish_reason, message.tool_calls.length], ['tool_calls', 1]);
      const messages = [...body.messages, message, resultOf(message)];
      const next = await completions.create({ ...body, messages, tool_choice: 'none' });
      assert.equal(next.choices[0].finish_reason, 'stop');
    }
  },

  'a heated answer': async () => {
    const { data, response } = await completions
      .create({ ...bodyOf({ model: `via-${upstream}`, text: 'Hello' }), temperature: 1.5, top_p: 0.5 })
      .withResponse();
    assert.equal(data.choices[0].message.content, said('Hello'));
    const warnings = response.headers.get('x-octopus-warnings') ?? '';
    assert.equal(/temperature/.test(warnings), upstream === 'messages');
  },

  ...(upstream === 'messages' && {
    'sampling that the model refuses': async () => {
      const body = { ...bodyOf({ model: 'messages/claude-opus-4-8', text: 'Hello' }), temperature: 0.5 };
      const { response } = await completions.create(body).withResponse();
      assert.match(response.headers.get('x-octopus-warnings'), /dropped=.*temperature/);
    },

    'thinking that the client does not return, and calls': async () => {
      for (const model of ['messages/claude-sonnet-4-5', 'messages/claude-opus-4-8', 'messages/claude-opus-5-5']) {
        const body = bodyOf({ model: `${model}!reasoning=4,calls=2,rounds=1`, text: 'Hello' });
        Object.assign(body, { tools: [tool], reasoning_effort: 'high' });
        const first = (await complete(body, true)).choices[0].message;
        const { reasoning_content, reasoning_details, ...bare } = historic(first);
        body.messages = [...body.messages, bare, ...first.tool_calls.map((call) => resultOf({ tool_calls: [call] }))];
        const second = await complete(body, false);
        assert.match(second.choices[0].message.content, /Your tools said: sunny \| sunny$/);
      }
    },

    'a forced call and thinking': async () => {
      for (const model of ['messages/claude-sonnet-4-5', 'messages/claude-opus-4-8', 'messages/claude-opus-5-5']) {
        const body = { ...bodyOf({ model, text: 'Hello' }), tools: [tool], tool_choice: 'required', reasoning_effort: 'high' };
        const [{ message }] = (await completions.create(body)).choices;
        assert.equal(message.role, 'assistant');
      }
    },

    'a strict channel refuses what it would drop': async () => {
      const body = { ...bodyOf({ model: 'strict/claude-sonnet-4-5', text: 'Hello' }), seed: 7 };
      await assert.rejects(completions.create(body), { status: 400, param: 'seed', code: 'unsupported_parameter' });
    },

    'a paused turn goes on': async () => {
      for (const stream of [false, true]) {
        const body = bodyOf({ model: scripted(upstream, 'pause=2'), text: 'Hello' });
        const answer = await complete({ ...body, web_search_options: {} }, stream);
        const { text, stop, usage } = read(answer);
        assert.deepEqual([text, stop], [said('Hello'), 'end']);
        assert.equal(usage.output, 2 + outputTokens('Hello'));
      }
    },

    'a turn that is paused too often': async () => {
      const body = bodyOf({ model: scripted(upstream, 'pause=9'), text: 'Hello' });
      assert.equal(read(await complete({ ...body, web_search_options: {} }, true)).stop, 'limit');
    },
  }),

  'a refusal': async () => {
    for (const stream of [false, true]) {
      const answer = await complete(bodyOf({ model: scripted(upstream, 'refusal'), text: 'Hello' }), stream);
      assert.equal(read(answer).stop, 'refused');
    }
  },

  'a filtered answer': async () => {
    const answer = await completions.create(bodyOf({ model: scripted(upstream, 'filter'), text: 'Hello' }));
    assert.equal(answer.choices[0].finish_reason, 'content_filter');
  },

  'a cited page': async () => {
    const answer = await completions.create(bodyOf({ model: scripted(upstream, 'cite'), text: 'Hello 🙂' }));
    const [{ message }] = answer.choices;
    const [{ type, url_citation: citation }] = message.annotations;
    assert.deepEqual([type, citation.url, citation.title], ['url_citation', 'https://example.com/scripted', 'A scripted page']);
    assert.deepEqual([citation.start_index, citation.end_index], [0, [...message.content].length]);
  },

  'a custom tool': async () => {
    const custom = { type: 'custom', custom: { name: 'run', description: 'Runs a program.' } };
    const body = { ...bodyOf({ model: scripted(upstream, 'tools'), text: 'Hello' }), tools: [custom] };
    const [call] = (await completions.create(body)).choices[0].message.tool_calls;
    assert.deepEqual([call.type, call.custom.name], ['custom', 'run']);
    assert.ok(call.custom.input.length > 0);
  },
}));
