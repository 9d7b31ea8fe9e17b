// 200 converted streams at once, from each protocol to each other.
import { run } from '../cases.mjs';
import { anthropic, chatBody, messagesBody, openai, responsesBody } from '../gateway.mjs';
import { crowd, textOf } from '../streams.mjs';
import { scripted, upstreams } from './suite.mjs';

const tokens = 30;

const open = {
  chat: (message, model) => openai.chat.completions.create(chatBody(message, { model, stream: true })),
  responses: (message, model) => openai.responses.create(responsesBody(message, { model, store: false, stream: true })),
  messages: (message, model) => anthropic.messages.create(messagesBody(message, { model, stream: true })),
};

const cases = {};
for (const client of upstreams) {
  for (const upstream of upstreams.filter((other) => other !== client)) {
    const model = scripted(upstream, `tokens=${tokens},every=5ms`);
    cases[`${client} over ${upstream}`] = () => crowd(tokens, (message) => open[client](message, model), textOf[client]);
  }
}
await run(cases);
