// OpenAI Responses with the npm package openai.
import assert from 'node:assert/strict';
import { run } from './cases.mjs';
import { collect, inputTokens, openai, outputTokens, responsesBody, said, scripted, weather } from './gateway.mjs';

const { responses } = openai;

const tools = [
  { type: 'function', name: weather.name, description: weather.description, parameters: weather.schema, strict: true },
];

function checkUsage(usage, message) {
  assert.equal(usage.input_tokens, inputTokens(message));
  assert.equal(usage.output_tokens, outputTokens(message));
  assert.equal(usage.total_tokens, inputTokens(message) + outputTokens(message));
}

// Checks what every stream must have: numbered events, one response, a beginning and an end.
function checkEvents(events, end) {
  assert.deepEqual(events.map((event) => event.sequence_number), events.map((_, i) => i));
  assert.deepEqual(events.slice(0, 2).map((event) => event.type), ['response.created', 'response.in_progress']);
  assert.equal(events.at(-1).type, end);
  assert.equal(events.at(-1).response.id, events[0].response.id);
}

await run({
  'create answers with text, usage and a request id': async () => {
    const answer = await responses.create(responsesBody('Hello'));
    assert.equal(answer.object, 'response');
    assert.equal(answer.status, 'completed');
    assert.equal(answer.output_text, said('Hello'));
    checkUsage(answer.usage, 'Hello');
    assert.match(answer._request_id, /^\S{8,}$/);
  },

  'the headers say who answered': async () => {
    const body = responsesBody('Hello', { model: scripted('tokens=1') });
    const { response, request_id } = await responses.create(body).withResponse();
    const header = (name) => response.headers.get(name);
    assert.equal(request_id, header('x-request-id'));
    assert.equal(header('request-id'), header('x-request-id'));
    assert.equal(header('x-octopus-channel'), 'north');
    assert.equal(header('x-octopus-model'), 'scripted!tokens=1');
    assert.equal(header('x-octopus-attempts'), '1');
  },

  'input as a list of items': async () => {
    const input = [
      { role: 'developer', content: 'Be brief.' },
      { role: 'user', content: [{ type: 'input_text', text: 'Grüße 你好 🙂' }] },
    ];
    const answer = await responses.create(responsesBody(input, { instructions: 'Be kind.' }));
    assert.equal(answer.output_text, said('Grüße 你好 🙂'));
    assert.equal(answer.instructions, 'Be kind.');
  },

  'a stream gives numbered events and the text in order': async () => {
    const events = await collect(await responses.create(responsesBody('Hello', { stream: true })));
    checkEvents(events, 'response.completed');
    const deltas = events.filter((event) => event.type === 'response.output_text.delta');
    assert.equal(deltas.map((event) => event.delta).join(''), said('Hello'));
    checkUsage(events.at(-1).response.usage, 'Hello');
  },

  '.stream() accumulates the answer': async () => {
    const stream = responses.stream(responsesBody('Hello'));
    let text = '';
    stream.on('response.output_text.delta', (event) => {
      text += event.delta;
      assert.equal(event.snapshot, text);
    });
    const answer = await stream.finalResponse();
    assert.equal(text, said('Hello'));
    assert.equal(answer.output_text, said('Hello'));
    assert.equal(answer.status, 'completed');
    checkUsage(answer.usage, 'Hello');
  },

  'the output limit ends the answer': async () => {
    const body = responsesBody('Hello', { max_output_tokens: 4 });
    const answer = await responses.create(body);
    assert.equal(answer.status, 'incomplete');
    assert.equal(answer.incomplete_details.reason, 'max_output_tokens');
    assert.equal(answer.output_text, said('Hello', 4));
    checkEvents(await collect(await responses.create({ ...body, stream: true })), 'response.incomplete');
  },

  'a function call': async () => {
    const answer = await responses.create(responsesBody('Hello', { model: scripted('tools'), tools }));
    const [call, ...more] = answer.output;
    assert.deepEqual(more, []);
    assert.equal(call.type, 'function_call');
    assert.equal(call.name, weather.name);
    assert.deepEqual(JSON.parse(call.arguments), weather.arguments);
  },

  'three function calls in a stream': async () => {
    const stream = responses.stream(responsesBody('Hello', { model: scripted('calls=3'), tools }));
    const pieces = {};
    stream.on('response.function_call_arguments.delta', (event) => {
      pieces[event.output_index] = (pieces[event.output_index] ?? '') + event.delta;
    });
    const { output } = await stream.finalResponse();
    assert.equal(new Set(output.map((call) => call.call_id)).size, 3);
    output.forEach((call, i) => {
      assert.equal(call.name, weather.name);
      assert.equal(call.arguments, pieces[i]);
      assert.deepEqual(JSON.parse(call.arguments), weather.arguments);
    });
  },

  'a conversation with a function result': async () => {
    const [call] = (await responses.create(responsesBody('Hello', { model: scripted('tools'), tools }))).output;
    const input = [
      { role: 'user', content: 'Hello' },
      call,
      { type: 'function_call_output', call_id: call.call_id, output: 'sunny' },
    ];
    const answer = await responses.create(responsesBody(input, { tools }));
    assert.equal(answer.output_text, said('Hello'));
  },

  'parse reads structured arguments': async () => {
    const answer = await responses.parse(responsesBody('Hello', { model: scripted('tools'), tools }));
    assert.deepEqual(answer.output[0].parsed_arguments, weather.arguments);
  },

  'reasoning comes before the text': async () => {
    const stream = responses.stream(responsesBody('Hello', { model: scripted('reasoning=6,tokens=2') }));
    const answer = await stream.finalResponse();
    assert.deepEqual(answer.output.map((item) => item.type), ['reasoning', 'message']);
    assert.equal(answer.output[0].summary[0].text, 'The script wants me to think,');
    assert.notEqual(answer.output[0].encrypted_content, '');
    assert.equal(answer.output_text, said('Hello', 2));
    assert.equal(answer.usage.output_tokens_details.reasoning_tokens, 6);
  },

  'a refusal': async () => {
    const answer = await responses.stream(responsesBody('Hello', { model: scripted('refusal') })).finalResponse();
    assert.match(answer.output[0].content[0].refusal, /can't help with that\.$/);
  },

  'an answer of a megabyte': async () => {
    const answer = await responses.create(responsesBody('Hello', { model: scripted('size=1000000') }));
    assert.ok(answer.output_text === said('Hello', 200_000).slice(0, 1_000_000));
  },

  'a burst of events': async () => {
    const body = responsesBody('Hello', { model: scripted('tokens=10000,burst'), stream: true });
    const events = await collect(await responses.create(body));
    checkEvents(events, 'response.completed');
    assert.ok(events.at(-1).response.output[0].content[0].text === said('Hello', 10_000));
  },

  'events cut at every byte, with CR LF and comments': async () => {
    const model = scripted('split=1,crlf,comments');
    const events = await collect(await responses.create(responsesBody('你好', { model, stream: true })));
    checkEvents(events, 'response.completed');
    assert.equal(events.at(-1).response.output[0].content[0].text, said('你好'));
  },

  'obfuscated events': async () => {
    const model = scripted('obfuscation');
    const events = await collect(await responses.create(responsesBody('Hello', { model, stream: true })));
    const deltas = events.filter((event) => event.type === 'response.output_text.delta');
    assert.ok(deltas.every((event) => event.obfuscation.length > 0));
    assert.equal(deltas.map((event) => event.delta).join(''), said('Hello'));
  },

  'input tokens are counted': async () => {
    const counted = await responses.inputTokens.count({ model: scripted('tokens=1'), input: 'Hello' });
    assert.deepEqual([counted.object, counted.input_tokens], ['response.input_tokens', inputTokens('Hello')]);
  },
});
