// Many streams at once, every one with a text of its own.
import assert from 'node:assert/strict';
import { said } from './gateway.mjs';

export const streams = 200;

// Opens all streams, and reads on in each only when all have begun. open makes one that asks a message, textOf reads the text
// of an event; each text is to have so many tokens.
export async function crowd(tokens, open, textOf) {
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

// How the text of an event is read, by protocol.
export const textOf = {
  chat: (chunk) => chunk.choices[0]?.delta.content ?? '',
  responses: (event) => (event.type === 'response.output_text.delta' ? event.delta : ''),
  messages: (event) => (event.type === 'content_block_delta' ? event.delta.text : ''),
};
