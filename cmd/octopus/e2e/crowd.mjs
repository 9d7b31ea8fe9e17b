// 200 streams at once on each protocol, every one with a text of its own.
import assert from 'node:assert/strict';
import { run } from './cases.mjs';
import { anthropic, chatBody, messagesBody, openai, responsesBody, said } from './gateway.mjs';

const streams = 200;
const tokens = 60;
const model = `crowd!tokens=${tokens},every=5ms`;

// Opens all streams, and reads on in each only when all have begun.
async function crowd(open, textOf) {
  let begun = 0;
  let begin;
  const allBegan = new Promise((resolve) => (begin = resolve));
  const readOne = async (_, i) => {
    const message = `stream ${i} of ${streams}`;
    let text = '';
    for await (const event of await open(message)) {
      const piece = textOf(event);
      if (text === '' && piece) {
        begun += 1;
        if (begun === streams) {
          begin();
        }
        await allBegan;
      }
      text += piece;
    }
    return [text, said(message, tokens)];
  };
  const texts = await Promise.all(Array.from({ length: streams }, readOne));
  for (const [got, want] of texts) {
    assert.equal(got, want);
  }
}

await run({
  'chat': () =>
    crowd(
      (message) => openai.chat.completions.create(chatBody(message, { model: `north/${model}`, stream: true })),
      (chunk) => chunk.choices[0].delta.content ?? '',
    ),
  'responses': () =>
    crowd(
      (message) => openai.responses.create(responsesBody(message, { model: `south/${model}`, stream: true })),
      (event) => (event.type === 'response.output_text.delta' ? event.delta : ''),
    ),
  'messages': () =>
    crowd(
      (message) => anthropic.messages.create(messagesBody(message, { model: `west/${model}`, stream: true })),
      (event) => (event.type === 'content_block_delta' ? event.delta.text : ''),
    ),
});
