// The npm package @anthropic-ai/sdk.
import assert from 'node:assert/strict';
import { anthropic, collect, inputTokens, said, weather } from '../gateway.mjs';
import { forecastsFor, pixel, runSuite, scripted, thinker, thought } from './suite.mjs';

const { messages } = anthropic;

const tool = { name: weather.name, description: weather.description, input_schema: weather.schema };

function bodyOf({ model, text, system, image, limit, stop, schema }) {
  const source = image && { type: 'base64', media_type: 'image/png', data: image.slice(image.indexOf(',') + 1) };
  return {
    model,
    max_tokens: limit ?? 4096,
    messages: [{ role: 'user', content: image ? [{ type: 'text', text }, { type: 'image', source }] : text }],
    ...(system && { system }),
    ...(stop && { stop_sequences: stop }),
    ...(schema && { output_config: { format: { type: 'json_schema', schema } } }),
  };
}

async function answerTo(body, stream) {
  return stream ? messages.stream(body).finalMessage() : messages.create(body);
}

const textOf = (answer) => answer.content.map((block) => block.text ?? '').join('');

function read(answer) {
  const { usage } = answer;
  const [cached, written] = [usage.cache_read_input_tokens, usage.cache_creation_input_tokens];
  return {
    text: textOf(answer),
    stop: { end_turn: 'end', stop_sequence: 'end', max_tokens: 'limit', refusal: 'refused' }[answer.stop_reason],
    usage: {
      input: usage.input_tokens + cached + written,
      output: usage.output_tokens,
      cached,
      written,
      reasoning: usage.output_tokens_details?.thinking_tokens,
    },
  };
}

const callsOf = (answer) => answer.content.filter((block) => block.type === 'tool_use');

// Returns the message that answers the calls of another.
function resultsOf(answer) {
  const calls = callsOf(answer);
  const outputs = forecastsFor(calls);
  const content = calls.map(({ id }, i) => ({ type: 'tool_result', tool_use_id: id, content: outputs[i] }));
  return { role: 'user', content };
}

// Returns an answer as it goes into the history: without what the SDK parsed.
function historic(answer) {
  return { role: 'assistant', content: answer.content.map(({ parsed_output, ...block }) => block) };
}

const library = {
  speaks: 'messages',
  stops: true,
  thinks: true,
  cuts: true,

  ask: async (ask, stream) => read(await answerTo(bodyOf(ask), stream)),

  loop: async ({ thinks, ...ask }, stream) => {
    const body = { ...bodyOf(ask), tools: [tool], ...(thinks && { thinking: { type: 'adaptive' } }) };
    const calls = [];
    for (;;) {
      const answer = await answerTo(body, stream);
      if (callsOf(answer).length === 0) {
        assert.equal(answer.stop_reason, 'end_turn');
        return { text: textOf(answer), calls };
      }
      assert.equal(answer.stop_reason, 'tool_use');
      calls.push(...callsOf(answer).map((call) => call.input));
      body.messages = [...body.messages, historic(answer), resultsOf(answer)];
    }
  },

  remember: async (ask, stream) => {
    const body = { ...bodyOf(ask), thinking: { type: 'adaptive' } };
    const first = await answerTo(body, stream);
    body.messages = [...body.messages, historic(first), { role: 'user', content: 'Again' }];
    const second = await answerTo(body, stream);
    const [block] = first.content;
    assert.ok(block.signature.length > 0);
    return { thought: block.thinking, text: textOf(second), usage: read(first).usage };
  },

  failure: ({ status, message }) => ({ status, message }),
};

// Fields that the provider's protocol has no place for are refused by name.
const refused = { inference_geo: 'us', container: 'container_1' };

await runSuite(library, (upstream) => ({
  ...Object.fromEntries(
    Object.entries(upstream === 'messages' ? {} : refused).map(([field, value]) => [
      `${field} is refused`,
      async () => {
        const body = { ...bodyOf({ model: `via-${upstream}`, text: 'Hello' }), [field]: value };
        await assert.rejects(messages.create(body), (error) => {
          assert.deepEqual([error.status, error.error.error.type], [400, 'invalid_request_error']);
          assert.match(error.message, new RegExp(field));
          return true;
        });
      },
    ]),
  ),

  'the blocks come one behind the other': async () => {
    const model = scripted(upstream, 'reasoning=3,tokens=3,calls=2,interleave');
    const body = { ...bodyOf({ model, text: 'Hello' }), tools: [tool] };
    const events = await collect(await messages.create({ ...body, stream: true }));
    const steps = events
      .filter((event) => /^content_block_(start|stop)$/.test(event.type))
      .map((event) => `${event.type.slice(14)} ${event.index} ${event.content_block?.type ?? ''}`.trim());
    const kinds = ['thinking', 'text', 'tool_use', 'tool_use'];
    assert.deepEqual(steps, kinds.flatMap((kind, i) => [`start ${i} ${kind}`, `stop ${i}`]));
    assert.equal(events.at(-1).type, 'message_stop');
  },

  'a budget for thinking, and calls': async () => {
    const directives = 'reasoning=4,calls=2,rounds=1';
    const model = (upstream === 'messages' ? scripted : thinker)(upstream, directives);
    const body = { ...bodyOf({ model, text: 'Hello' }), tools: [tool], thinking: { type: 'enabled', budget_tokens: 2048 } };
    const first = await answerTo(body, true);
    body.messages = [...body.messages, historic(first), resultsOf(first)];
    assert.match(textOf(await answerTo(body, false)), /sunny \| rainy$/);
  },

  'redacted thinking comes back': async () => {
    const model = thinker(upstream, 'redacted,reasoning=2,remember');
    const body = { ...bodyOf({ model, text: 'Hello' }), thinking: { type: 'adaptive' } };
    const first = await answerTo(body, true);
    const thoughts = first.content.filter((block) => /thinking/.test(block.type)).length;
    assert.equal(thoughts, upstream === 'chat' ? 1 : 2);
    body.messages = [...body.messages, historic(first), { role: 'user', content: 'Again' }];
    assert.match(textOf(await answerTo(body, false)), new RegExp(`I remember ${thoughts} thoughts`));
  },

  'thinking of another upstream is left out': async () => {
    const other = upstream === 'messages' ? 'responses' : 'messages';
    const thinking = bodyOf({ model: thinker(other, 'reasoning=4,calls=2'), text: 'Hello' });
    const first = await answerTo({ ...thinking, tools: [tool] }, true);
    assert.equal(first.content[0].thinking, thought.split(' ').slice(0, 4).join(' '));
    const history = [historic(first), resultsOf(first)];
    const body = bodyOf({ model: thinker(upstream, 'remember'), text: 'Hello' });
    Object.assign(body, { tools: [tool], thinking: { type: 'adaptive' } });
    body.messages = [...body.messages, ...history];
    // Chat has no signatures: a channel that wants its reasoning back gets the text of any.
    const thoughts = upstream === 'chat' ? 1 : 0;
    assert.match(textOf(await answerTo(body, false)), new RegExp(`I remember ${thoughts} thoughts`));
  },

  'a stop sequence is named': async () => {
    const answer = await answerTo(bodyOf({ model: `via-${upstream}`, text: 'Hello', stop: [' not', ' never'] }), true);
    if (upstream === 'chat') {
      assert.equal(answer.stop_reason, 'end_turn'); // Chat doesn't tell
    } else {
      assert.deepEqual([answer.stop_reason, answer.stop_sequence], ['stop_sequence', ' not']);
    }
  },

  'six stop sequences': async () => {
    const stop = ['a1', 'b2', 'c3', 'd4', ' not', ' never'];
    const answer = await answerTo(bodyOf({ model: `via-${upstream}`, text: 'Hello', stop }), true);
    assert.equal(textOf(answer), "I am Octopus's scripted provider,");
  },

  'a refusal and a filtered answer': async () => {
    for (const directives of ['refusal', 'filter']) {
      for (const stream of [false, true]) {
        const answer = await answerTo(bodyOf({ model: scripted(upstream, directives), text: 'Hello' }), stream);
        assert.equal(answer.stop_reason, 'refusal');
      }
    }
  },

  'a cited page': async () => {
    for (const stream of [false, true]) {
      const answer = await answerTo(bodyOf({ model: scripted(upstream, 'cite'), text: 'Hello' }), stream);
      const [citation] = answer.content.at(-1).citations;
      assert.deepEqual(
        [citation.type, citation.url, citation.title],
        ['web_search_result_location', 'https://example.com/scripted', 'A scripted page'],
      );
    }
  },

  'a search of the web': async () => {
    const search = { type: 'web_search_20250305', name: 'web_search', max_uses: 2 };
    const body = { ...bodyOf({ model: scripted(upstream, 'search'), text: 'Hello' }), tools: [search, tool] };
    const answer = await answerTo(body, true);
    const kinds = answer.content.map((block) => block.type);
    assert.deepEqual(kinds, upstream === 'chat' ? ['text'] : ['server_tool_use', 'web_search_tool_result', 'text']);
    body.messages = [...body.messages, historic(answer), { role: 'user', content: 'Again' }];
    assert.equal(textOf(await answerTo(body, false)), said('Again'));
  },

  'images and errors as results': async () => {
    const body = { ...bodyOf({ model: scripted(upstream, 'calls=2,rounds=1'), text: 'Hello' }), tools: [tool] };
    const first = await answerTo(body, false);
    const [one, two] = callsOf(first);
    const source = { type: 'base64', media_type: 'image/png', data: pixel };
    const content = [
      { type: 'tool_result', tool_use_id: one.id, content: [{ type: 'text', text: 'here' }, { type: 'image', source }] },
      { type: 'tool_result', tool_use_id: two.id, content: 'broken', is_error: true },
      { type: 'text', text: 'What now?' },
    ];
    body.messages = [...body.messages, historic(first), { role: 'user', content }];
    assert.match(textOf(await answerTo(body, true)), /Your tools said: here.* \| .*broken$/);
  },

  'documents': async () => {
    const pdf = { type: 'document', title: 'a.pdf', source: { type: 'base64', media_type: 'application/pdf', data: 'JVBERi0x' } };
    const body = bodyOf({ model: `via-${upstream}`, text: 'Read' });
    body.messages[0].content = [{ type: 'text', text: 'Read' }, pdf];
    assert.equal(textOf(await answerTo(body, true)), said('Read [application/pdf of 6 bytes]'));
  },

  'marks of the cache, a user and a tier': async () => {
    const mark = { cache_control: { type: 'ephemeral' } };
    const body = {
      ...bodyOf({ model: `via-${upstream}`, text: 'Hello' }),
      system: [{ type: 'text', text: 'Be kind.', ...mark }],
      tools: [{ ...tool, ...mark }],
      metadata: { user_id: `user_${'x'.repeat(100)}` },
      service_tier: 'standard_only',
    };
    const answer = await answerTo(body, true);
    assert.equal(textOf(answer), said('Hello'));
    assert.equal(read(answer).usage.input, inputTokens('Be kind.Hello'));
  },

  'a long name of a tool': async () => {
    const name = `get_weather_${'x'.repeat(100)}`;
    const body = { ...bodyOf({ model: scripted(upstream, 'tools,rounds=1'), text: 'Hello' }), tools: [{ ...tool, name }] };
    body.tool_choice = { type: 'tool', name };
    const first = await answerTo(body, true);
    assert.equal(callsOf(first)[0].name, name);
    body.messages = [...body.messages, historic(first), resultsOf(first)];
    assert.match(textOf(await answerTo(body, false)), /sunny$/);
  },

  'a system message on the way': async () => {
    const body = bodyOf({ model: thinker(upstream, 'tokens=3'), text: 'Hello' });
    if (upstream === 'messages') {
      body.model = 'messages/claude-opus-4-8!tokens=3';
    }
    body.messages.push({ role: 'system', content: 'Be brief.' });
    assert.equal(textOf(await answerTo(body, true)), said('Hello', 3));
  },

  ...(upstream !== 'messages' && {
    'a model of OpenAI that reasons': async () => {
      const body = bodyOf({ model: `${upstream}/gpt-5.4`, text: 'Hello', stop: [' not'] });
      Object.assign(body, { thinking: { type: 'enabled', budget_tokens: 2048 }, temperature: 1, top_k: 5, tools: [tool] });
      const answer = await answerTo(body, true);
      assert.equal(textOf(answer), "I am Octopus's scripted provider,");
      assert.deepEqual([answer.stop_reason, answer.stop_sequence], ['stop_sequence', ' not']);
    },
  }),

  'the last message is the assistant\'s': async () => {
    const body = bodyOf({ model: `via-${upstream}`, text: 'Hello' });
    body.messages.push({ role: 'assistant', content: 'I' });
    assert.equal(textOf(await answerTo(body, true)), said('Hello'));
  },

  'tokens are counted': async () => {
    const counted = await messages.countTokens({ model: `via-${upstream}`, messages: [{ role: 'user', content: 'Hello' }] });
    assert.ok(counted.input_tokens > 0);
  },
}));
