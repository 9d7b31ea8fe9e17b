// Clients that leave, in each phase of a request. All requests are sent; when the Go test has seen every one of them at
// the provider it closes our standard input, and all clients leave at once. Each line says which model was asked for and
// when its client left, so that the Go test can find the provider's record of it.
import Anthropic from '@anthropic-ai/sdk';
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { setImmediate } from 'node:timers/promises';
import OpenAI from 'openai';
import { print, runOne } from './cases.mjs';
import { anthropic, chatBody, messagesBody, openai, responsesBody } from './gateway.mjs';

const protocols = {
  chat: {
    sdk: OpenAI,
    create: (extra, options) => openai.chat.completions.create(chatBody('Hello', extra), options),
    hasText: (chunk) => Boolean(chunk.choices[0]?.delta.content),
  },
  responses: {
    sdk: OpenAI,
    create: (extra, options) => openai.responses.create(responsesBody('Hello', extra), options),
    hasText: (event) => event.type === 'response.output_text.delta',
  },
  messages: {
    sdk: Anthropic,
    create: (extra, options) => anthropic.messages.create(messagesBody('Hello', extra), options),
    hasText: (event) => event.type === 'content_block_delta',
  },
};

// What the provider does meanwhile: silent before the headers, between them and the first event, before the first token,
// talking, or silent again.
const phases = {
  'before the headers': { directives: 'delay=1h' },
  'before the headers of a whole answer': { directives: 'delay=1h', whole: true },
  'inside a whole answer': { directives: 'size=100000,stall=1', whole: true },
  'before the first event': { directives: 'prelude=1h' },
  'before the first token': { directives: 'first=1h' },
  'mid-stream': { directives: 'tokens=100000,every=20ms', begun: true },
  'in the silence after some tokens': { directives: 'tokens=60,stall=20', begun: true },
};

// Sends one request. Returns a promise of its being under way, and what makes the client leave.
function send(protocol, { directives, whole, begun }, model) {
  const controller = new AbortController();
  let underWay = () => {};
  const started = begun ? new Promise((resolve) => (underWay = resolve)) : Promise.resolve();
  const read = async () => {
    const extra = { model: `${model}!${directives}`, stream: !whole };
    const answer = await protocol.create(extra, { signal: controller.signal });
    for await (const event of answer) {
      if (protocol.hasText(event)) {
        underWay();
      }
    }
  };
  // The streams of both SDKs end quietly when they are aborted, and the call itself throws.
  const ended = read().then(
    () => assert.ok(begun && controller.signal.aborted, 'the answer ended by itself'),
    (error) => assert.ok(error instanceof protocol.sdk.APIUserAbortError, error),
  );
  const leave = async () => {
    controller.abort();
    await ended;
    await setImmediate(); // node closes sockets at the end of its turn
    return Date.now();
  };
  return { started: Promise.race([started, ended]), leave };
}

const sent = Object.entries(protocols).flatMap(([name, protocol]) =>
  Object.entries(phases).map(([phase, row]) => {
    const model = `${name}-${phase.replaceAll(' ', '-')}`;
    return { name: `${name}: ${phase}`, model: `${model}!${row.directives}`, ...send(protocol, row, `north/${model}`) };
  }),
);
await Promise.all(sent.map((one) => one.started));
print({ asked: sent.map((one) => one.model) });

process.stdin.resume();
await once(process.stdin, 'end');
await Promise.all(
  sent.map(({ name, model, leave }) => runOne(name, async () => ({ model, left: await leave() }))),
);
