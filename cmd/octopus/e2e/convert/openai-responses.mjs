// The npm package openai, Responses.
import assert from 'node:assert/strict';
import { collect, openai, said, weather } from '../gateway.mjs';
import { forecastsFor, runSuite, scripted, thinker } from './suite.mjs';

const { responses } = openai;

const tool = {
  type: 'function',
  name: weather.name,
  description: weather.description,
  parameters: weather.schema,
  strict: true,
};

function bodyOf({ model, text, system, image, limit, schema }) {
  const content = [
    { type: 'input_text', text },
    { type: 'input_image', image_url: image, detail: 'auto' },
  ];
  return {
    model,
    input: [{ role: 'user', content: image ? content : text }],
    store: false,
    ...(system && { instructions: system }),
    ...(limit && { max_output_tokens: limit }),
    ...(schema && { text: { format: { type: 'json_schema', name: 'forecast', schema, strict: true } } }),
  };
}

async function respond(body, stream) {
  return stream ? responses.stream(body).finalResponse() : responses.create(body);
}

function read(answer) {
  const { usage } = answer;
  const refused = answer.output.some((item) => item.content?.some((part) => part.type === 'refusal'));
  const stops = { max_output_tokens: 'limit', content_filter: 'refused' };
  return {
    text: answer.output_text,
    stop: refused ? 'refused' : answer.status === 'completed' ? 'end' : stops[answer.incomplete_details.reason],
    usage: {
      input: usage.input_tokens,
      output: usage.output_tokens,
      cached: usage.input_tokens_details.cached_tokens,
      written: usage.input_tokens_details.cache_write_tokens,
      reasoning: usage.output_tokens_details.reasoning_tokens,
    },
  };
}

const callsOf = (answer) => answer.output.filter((item) => item.type === 'function_call');

// Returns the items that answer the calls of a response.
function resultsOf(answer) {
  const calls = callsOf(answer);
  const outputs = forecastsFor(calls);
  return calls.map(({ call_id }, i) => ({ type: 'function_call_output', call_id, output: outputs[i] }));
}

const library = {
  speaks: 'responses',
  thinks: true,
  cuts: true,

  ask: async (ask, stream) => {
    const answer = await respond(bodyOf(ask), stream);
    if (answer.status === 'failed') {
      throw Object.assign(new Error(answer.error.message), { failed: answer });
    }
    return read(answer);
  },

  loop: async ({ thinks, ...ask }, stream) => {
    const body = { ...bodyOf(ask), tools: [tool], ...(thinks && { reasoning: { effort: 'medium' } }) };
    const calls = [];
    for (;;) {
      const answer = await respond(body, stream);
      assert.equal(answer.status, 'completed');
      if (callsOf(answer).length === 0) {
        return { text: answer.output_text, calls };
      }
      calls.push(...callsOf(answer).map((call) => JSON.parse(call.arguments)));
      body.input = [...body.input, ...answer.output.map(plainItem), ...resultsOf(answer)];
    }
  },

  remember: async (ask, stream) => {
    const body = { ...bodyOf(ask), reasoning: { effort: 'medium', summary: 'auto' }, include: ['reasoning.encrypted_content'] };
    const first = await respond(body, stream);
    body.input = [...body.input, ...first.output.map(plainItem), { role: 'user', content: 'Again' }];
    const second = await respond(body, stream);
    const [reasoning] = first.output;
    assert.equal(reasoning.type, 'reasoning');
    return { thought: reasoning.summary.map((part) => part.text).join('\n\n'), text: second.output_text, usage: read(first).usage };
  },

  failure: ({ status, message }) => ({ status, message }),
};

// Returns an item as it goes into the history: without what the SDK parsed.
function plainItem({ parsed_arguments, ...item }) {
  return item.content ? { ...item, content: item.content.map(({ parsed, ...part }) => part) } : item;
}

// Fields that the provider's protocol has no place for are refused by name.
const refused = {
  chat: { background: true, prompt: { id: 'pmpt_1' }, conversation: 'conv_1' },
  responses: {},
  messages: { background: true, prompt: { id: 'pmpt_1' }, conversation: 'conv_1' },
};

await runSuite(library, (upstream) => ({
  ...Object.fromEntries(
    Object.entries(refused[upstream]).map(([field, value]) => [
      `${field} is refused`,
      async () => {
        const body = { ...bodyOf({ model: `via-${upstream}`, text: 'Hello' }), [field]: value };
        await assert.rejects(responses.create(body), (error) => {
          assert.deepEqual([error.status, error.param], [400, field]);
          assert.match(error.message, new RegExp(field));
          return true;
        });
      },
    ]),
  ),

  'the events are numbered and name their items': async () => {
    const body = { ...bodyOf({ model: scripted(upstream, 'reasoning=3,tokens=3,calls=2'), text: 'Hello' }), tools: [tool] };
    const events = await collect(await responses.create({ ...body, stream: true }));
    assert.deepEqual(events.map((event) => event.sequence_number), events.map((_, i) => i));
    const done = events.filter((event) => event.type === 'response.output_item.done').map((event) => event.item);
    assert.deepEqual(done.map((item) => item.type), ['reasoning', 'message', 'function_call', 'function_call']);
    assert.deepEqual(events.at(-1).response.output.map((item) => item.id), done.map((item) => item.id));
  },

  'the same answer, streamed or not': async () => {
    const body = bodyOf({ model: scripted(upstream, 'tokens=5'), text: 'Hello' });
    const shape = (answer) => answer.output.map(({ id, ...item }) => ({ ...plainItem(item), logprobs: undefined }));
    assert.deepEqual(shape(await respond(body, true)), shape(await respond(body, false)));
  },

  'a stored response is continued, read and deleted': async () => {
    const model = scripted(upstream, 'calls=2,rounds=1');
    const first = await responses.create({ model, input: 'Hello', tools: [tool] });
    const second = await responses.create({ model, previous_response_id: first.id, input: resultsOf(first), tools: [tool] });
    assert.match(second.output_text, /sunny \| rainy$/);
    assert.equal(second.previous_response_id, first.id);
    const kept = await responses.retrieve(second.id);
    assert.deepEqual([kept.id, kept.output_text ?? kept.output[0].content[0].text], [second.id, second.output_text]);
    await responses.delete(second.id);
    await assert.rejects(responses.retrieve(second.id), { status: 404 });
  },

  'items are referred to': async () => {
    const model = thinker(upstream, 'reasoning=3,tokens=3');
    const first = await responses.create({ model, input: 'Hello' });
    const references = first.output.map(({ id }) => ({ type: 'item_reference', id }));
    const input = [{ role: 'user', content: 'Hello' }, ...references, { role: 'user', content: 'Again' }];
    const second = await responses.create({ model: thinker(upstream, 'remember'), input });
    assert.equal(second.output_text, `${said('Again')}. I remember 1 thoughts.`);
  },

  'an unknown response is not continued': async () => {
    const body = { model: `via-${upstream}`, input: 'Hello', previous_response_id: 'resp_unknown' };
    await assert.rejects(responses.create(body), { code: 'previous_response_not_found' });
  },

  'reasoning without a summary comes back': async () => {
    const body = bodyOf({ model: thinker(upstream, 'redacted,reasoning=2,remember'), text: 'Hello' });
    body.reasoning = { effort: 'medium' };
    const first = await respond(body, true);
    const thoughts = first.output.filter((item) => item.type === 'reasoning').length;
    assert.equal(thoughts, upstream === 'chat' ? 1 : 2);
    body.input = [...body.input, ...first.output.map(plainItem), { role: 'user', content: 'Again' }];
    assert.match((await respond(body, false)).output_text, new RegExp(`I remember ${thoughts} thoughts`));
  },

  ...(upstream === 'messages' && {
    'thinking that is not shown comes back': async () => {
      const body = bodyOf({ model: 'messages/claude-opus-4-8!reasoning=3,remember', text: 'Hello' });
      body.reasoning = { effort: 'high' };
      const first = await respond(body, true);
      assert.deepEqual([first.output[0].type, first.output[0].summary], ['reasoning', []]);
      body.input = [...body.input, ...first.output.map(plainItem), { role: 'user', content: 'Again' }];
      assert.match((await respond(body, true)).output_text, /I remember 1 thoughts/);
      body.reasoning.summary = 'auto';
      assert.equal((await respond(body, false)).output[0].summary[0].text, 'The script wants');
    },
  }),

  'a refusal': async () => {
    for (const stream of [false, true]) {
      const answer = await respond(bodyOf({ model: scripted(upstream, 'refusal'), text: 'Hello' }), stream);
      assert.equal(read(answer).stop, 'refused');
    }
  },

  'a filtered answer': async () => {
    const answer = await respond(bodyOf({ model: scripted(upstream, 'filter'), text: 'Hello' }), true);
    assert.deepEqual([answer.status, answer.incomplete_details.reason], ['incomplete', 'content_filter']);
  },

  'a cited page': async () => {
    const answer = await respond(bodyOf({ model: scripted(upstream, 'cite'), text: 'Hello 🙂' }), true);
    const [{ text, annotations }] = answer.output.at(-1).content;
    const [{ type, url, title, start_index: start, end_index: end }] = annotations;
    assert.deepEqual([type, url, title], ['url_citation', 'https://example.com/scripted', 'A scripted page']);
    assert.deepEqual([start, end], [0, [...text].length]);
  },

  'a custom tool': async () => {
    const custom = { type: 'custom', name: 'run', description: 'Runs a program.' };
    for (const stream of [false, true]) {
      const body = { ...bodyOf({ model: scripted(upstream, 'tools,rounds=1'), text: 'Hello' }), tools: [custom] };
      const answer = await respond(body, stream);
      const [call] = answer.output;
      assert.deepEqual([call.type, call.name, call.status], ['custom_tool_call', 'run', 'completed']);
      assert.ok(call.input.length > 0);
      const result = { type: 'custom_tool_call_output', call_id: call.call_id, output: 'done' };
      const next = await respond({ ...body, input: [...body.input, call, result] }, stream);
      assert.match(next.output_text, /Your tools said: done$/);
    }
  },

  'a tool that returns an image': async () => {
    const body = { ...bodyOf({ model: scripted(upstream, 'tools,rounds=1'), text: 'Hello' }), tools: [tool] };
    const [call] = (await respond(body, false)).output;
    const output = [
      { type: 'input_text', text: 'here' },
      { type: 'input_image', image_url: 'https://example.com/a.png', detail: 'auto' },
    ];
    const result = { type: 'function_call_output', call_id: call.call_id, output };
    const next = await respond({ ...body, input: [...body.input, call, result] }, false);
    assert.match(next.output_text, /Your tools said: here/);
  },

  'a search of the web': async () => {
    const body = { ...bodyOf({ model: scripted(upstream, 'search,cite'), text: 'Hello' }), tools: [{ type: 'web_search' }, tool] };
    const answer = await respond(body, true);
    const kinds = answer.output.map((item) => item.type);
    assert.deepEqual(kinds, upstream === 'chat' ? ['message'] : ['web_search_call', 'message']);
  },

  'a namespace': async () => {
    const namespace = { type: 'namespace', name: 'sky', description: 'The sky.', tools: [tool] };
    const answer = await respond({ ...bodyOf({ model: scripted(upstream, 'tools'), text: 'Hello' }), tools: [namespace] }, true);
    assert.deepEqual([answer.output[0].namespace, answer.output[0].name], ['sky', weather.name]);
  },

  'tokens are counted': async () => {
    const counted = await responses.inputTokens.count({ model: `via-${upstream}`, input: 'Hello' });
    assert.equal(counted.object, 'response.input_tokens');
    assert.ok(counted.input_tokens > 0);
  },
}));
