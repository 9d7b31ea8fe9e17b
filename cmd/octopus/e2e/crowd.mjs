// 200 streams at once on each protocol.
import { run } from './cases.mjs';
import { anthropic, chatBody, messagesBody, openai, responsesBody } from './gateway.mjs';
import { crowd, textOf } from './streams.mjs';

const tokens = 60;
const model = `crowd!tokens=${tokens},every=5ms`;

await run({
  'chat': () =>
    crowd(
      tokens,
      (message) => openai.chat.completions.create(chatBody(message, { model: `north/${model}`, stream: true })),
      textOf.chat,
    ),
  'responses': () =>
    crowd(
      tokens,
      (message) => openai.responses.create(responsesBody(message, { model: `south/${model}`, stream: true })),
      textOf.responses,
    ),
  'messages': () =>
    crowd(
      tokens,
      (message) => anthropic.messages.create(messagesBody(message, { model: `west/${model}`, stream: true })),
      textOf.messages,
    ),
});
