// What a client library must be able to do, whatever protocol the provider speaks.
//
// A library is an object with these members. An ask is {model, text, system, image, limit, stop, schema, thinks}; all but the first
// two may be missing.
//
//   ask(ask, stream)       asks one question: {text, stop, usage: {input, output, cached, written, reasoning}}. stop is end,
//                          limit or refused.
//   loop(ask, stream)      lets the model call the tools until it answers: {text, calls}, calls being the arguments.
//   remember(ask, stream)  asks with thinking on, and once more with all that the first answer held: {thought, text, usage},
//                          the usage being that of the first.
//   failure(error)         what the library tells of an error: {status, message}.
//   silent(stream)         the kinds of usage, and the word stop, that the library doesn't tell; by default none.
//   stops                  whether the protocol knows stop sequences.
//   thinks                 whether the library shows thinking.
//   cuts                   whether the library notices that a stream broke off.
//   limited                what the library says, in an error, of an answer that was cut short; it has no such answers then.
import assert from 'node:assert/strict';
import { runOne } from '../cases.mjs';
import { inputTokens, outputTokens, said, weather } from '../gateway.mjs';

export const upstreams = ['chat', 'responses', 'messages'];

// Models whose names tell the gateway, and the strict provider, what they take.
const plain = { chat: 'gpt-4.1', responses: 'gpt-4.1', messages: 'claude-sonnet-4-5' };
const thinking = {
  chat: 'vendor/deepseek-reasoner',
  responses: 'responses/gpt-5.4',
  messages: 'messages/claude-opus-4-6',
};

// Returns the name of a model behind an upstream that follows directives.
export const scripted = (upstream, directives) => `${upstream}/${plain[upstream]}!${directives}`;
export const thinker = (upstream, directives) => `${thinking[upstream]}!${directives}`;

export const pixel =
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==';

// What the tools answer, in the order of the calls, and what the model says then.
export const forecasts = ['sunny', 'rainy'];
const toldByTools = `I am Octopus's scripted provider, not a model. Your tools said: ${forecasts.join(' | ')}`;

export const thought = 'The script wants me to think,';

// Runs the cases of a library over every upstream, and more of its own: more(upstream) returns cases by name.
export async function runSuite(library, more = () => ({})) {
  for (const upstream of upstreams) {
    for (const [name, body] of Object.entries({ ...cases(library, upstream), ...more(upstream) })) {
      await runOne(`${upstream}: ${name}`, body);
    }
  }
}

function cases(library, upstream) {
  const both = (name, body) => ({ [name]: () => body(false), [`${name}, streamed`]: () => body(true) });
  const all = {
    ...both('text', async (stream) => {
      const answer = await library.ask({ model: `via-${upstream}`, text: 'Hello' }, stream);
      assert.equal(answer.text, said('Hello'));
      checkStop(library, stream, answer, 'end');
      checkUsage(library, stream, answer, { input: inputTokens('Hello'), output: outputTokens('Hello') });
    }),

    ...both('a system prompt and many scripts', async (stream) => {
      const [system, text] = ['Be kind, 请.', 'Grüße 你好世界 🙂 "quoted" \\ \u2028 end'];
      const answer = await library.ask({ model: `via-${upstream}`, text, system }, stream);
      assert.equal(answer.text, said(text));
      checkUsage(library, stream, answer, { input: inputTokens(system + text) });
    }),

    ...both('the output limit', async (stream) => {
      // Responses knows no limit below 16.
      const ask = { model: `via-${upstream}`, text: `Hello${' again'.repeat(20)}`, limit: 16 };
      if (library.limited) {
        await assert.rejects(library.ask(ask, stream), library.limited);
        return;
      }
      const answer = await library.ask(ask, stream);
      assert.equal(answer.text, said('Hello again again again again again', 16));
      checkStop(library, stream, answer, 'limit');
    }),

    ...both('cached tokens', async (stream) => {
      const text = 'x'.repeat(400);
      const model = scripted(upstream, 'cached=64,cachewrite=32,tokens=3');
      const answer = await library.ask({ model, text }, stream);
      checkUsage(library, stream, answer, { input: inputTokens(text), output: 3, cached: 64, written: 32 });
    }),

    ...both('two rounds of parallel calls', async (stream) => {
      const model = scripted(upstream, 'calls=2,rounds=2');
      const { text, calls } = await library.loop({ model, text: 'Hello' }, stream);
      assert.deepEqual(calls, Array(4).fill(weather.arguments));
      assert.equal(text, toldByTools);
    }),

    ...both('an image', async (stream) => {
      const image = `data:image/png;base64,${pixel}`;
      const answer = await library.ask({ model: `via-${upstream}`, text: 'What is this?', image }, stream);
      assert.equal(answer.text, said('What is this? [image/png of 70 bytes]'));
    }),

    ...both('structured output', async (stream) => {
      const answer = await library.ask({ model: `via-${upstream}`, text: 'Hello', schema: weather.schema }, stream);
      assert.deepEqual(JSON.parse(answer.text), weather.arguments);
      checkStop(library, stream, answer, 'end');
    }),

    ...both('events in odd pieces', async (stream) => {
      const answer = await library.ask({ model: scripted(upstream, 'split=3,crlf,comments,usage=late'), text: '你好' }, stream);
      assert.equal(answer.text, said('你好'));
      checkUsage(library, stream, answer, { output: outputTokens('你好') });
    }),

    'a wrong request': () => checkFailure(library, scripted(upstream, 'status=400'), 400, /./),
    'an unknown model': () => checkFailure(library, 'no-such-model', 404, /no-such-model/),
    'a prompt that is too long': () =>
      checkFailure(library, scripted(upstream, 'status=400,code=context_length_exceeded'), 400, /too long|context/),
    'too many requests': () => checkFailure(library, scripted(upstream, 'status=429'), 429, /rate|limit/i),
    'an overloaded provider': () =>
      checkFailure(library, scripted(upstream, 'status=503'), library.speaks === 'messages' ? 529 : 503, /./),
  };
  if (upstream === 'messages' && library.speaks !== upstream) {
    Object.assign(
      all,
      both('structured output of a model that has none', async (stream) => {
        const answer = await library.ask({ model: 'messages/claude-sonnet-4', text: 'Hello', schema: weather.schema }, stream);
        assert.deepEqual(JSON.parse(answer.text), weather.arguments);
        checkStop(library, stream, answer, 'end');
      }),
    );
  }
  if (upstream !== library.speaks) {
    all['parallel calls whose arguments come by turns'] = async () => {
      const model = scripted(upstream, 'calls=2,interleave,rounds=1');
      const { calls } = await library.loop({ model, text: 'Hello' }, true);
      assert.deepEqual(calls, Array(2).fill(weather.arguments));
    };
  }
  if (library.stops) {
    Object.assign(
      all,
      both('a stop sequence', async (stream) => {
        const answer = await library.ask({ model: `via-${upstream}`, text: 'Hello', stop: [' not'] }, stream);
        assert.equal(answer.text, "I am Octopus's scripted provider,");
        checkStop(library, stream, answer, 'end');
      }),
    );
  }
  if (library.thinks) {
    Object.assign(
      all,
      both('thinking, and a second turn that brings it back', async (stream) => {
        const model = thinker(upstream, 'reasoning=6,remember');
        const { thought: shown, text, usage } = await library.remember({ model, text: 'Hello' }, stream);
        assert.equal(shown, thought);
        assert.equal(text, `${said('Again')}. I remember 1 thoughts.`);
        checkUsage(library, stream, { usage }, { reasoning: 6 });
      }),
    );
  }
  Object.assign(
    all,
    both('thinking before calls', async (stream) => {
      const model = thinker(upstream, 'reasoning=6,calls=2,rounds=2');
      const { text, calls } = await library.loop({ model, text: 'Hello', thinks: true }, stream);
      assert.deepEqual(calls, Array(4).fill(weather.arguments));
      assert.equal(text, toldByTools);
    }),
  );
  if (library.cuts) {
    all['a stream that breaks off'] = async () => {
      const model = scripted(upstream, 'tokens=60,cut=40');
      await assert.rejects(() => library.ask({ model, text: 'Hello' }, true));
    };
    all['an error in a stream'] = async () => {
      const model = scripted(upstream, 'tokens=60,errorevent=40');
      await assert.rejects(() => library.ask({ model, text: 'Hello' }, true));
    };
  }
  return all;
}

// Checks what an answer says of its end.
function checkStop(library, stream, answer, want) {
  if (!silent(library, stream).includes('stop')) {
    assert.equal(answer.stop, want);
  }
}

// Checks what an answer says of its usage.
function checkUsage(library, stream, { usage }, want) {
  for (const [kind, tokens] of Object.entries(want)) {
    if (!silent(library, stream).includes(kind)) {
      assert.equal(usage[kind], tokens, `${kind} tokens: ${usage[kind]}, want ${tokens}`);
    }
  }
}

const silent = (library, stream) => library.silent?.(stream) ?? [];

async function checkFailure(library, model, status, message) {
  for (const stream of [false, true]) {
    let error;
    try {
      await library.ask({ model, text: 'Hello' }, stream);
    } catch (e) {
      error = library.failure(e);
    }
    assert.ok(error, 'there was no error');
    assert.equal(error.status, status, `status of ${error.message}`);
    assert.match(error.message, message);
  }
}

// Returns what the calls of one answer are answered with.
export function forecastsFor(calls) {
  return calls.map((_, i) => forecasts[i]);
}
