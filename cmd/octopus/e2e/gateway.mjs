// The gateway under test, seen by its clients, and what the scripted provider behind it says.
import Anthropic from '@anthropic-ai/sdk';
import OpenAI from 'openai';

const url = process.env.OCTOPUS_URL;
const key = process.env.OCTOPUS_KEY;

// Where OpenAI's paths begin.
export const baseURL = `${url}/v1`;

// Clients as users make them, but without retries: a test must see the first answer.
export const openai = new OpenAI({ baseURL, apiKey: key, maxRetries: 0 });
export const anthropic = new Anthropic({ baseURL: url, apiKey: key, maxRetries: 0 });

// The public name of a group that balances over three channels.
export const group = 'octo-1';

// Returns the name of a model on one channel that makes the provider follow directives (gateway/gatewaytest, doc.go).
export function scripted(directives) {
  return `north/scripted!${directives}`;
}

// Returns what the provider says to a message: its sentence once, or over and over until there are that many tokens. A
// token is a word with the space before it, or a character of a script without spaces.
export function said(message, tokens) {
  const sentence = tokensOf(message);
  const count = tokens ?? sentence.length;
  return Array.from({ length: count }, (_, i) => sentence[i % sentence.length])
    .join('')
    .slice(1);
}

function tokensOf(message) {
  const sentence = ` I am Octopus's scripted provider, not a model. You wrote: ${message}`;
  return sentence.match(/[ \n\t\r]*(?:[\u{2e80}-\u{10ffff}]|[^ \n\t\r\u{2e80}-\u{10ffff}]+)/gu);
}

// How many tokens the provider counts in one short message, and in its answer.
export const inputTokens = (message) => 8 + Math.floor(Buffer.byteLength(message) / 4);
export const outputTokens = (message) => tokensOf(message).length;

// One conversation in the three ways to write it.
export const chatBody = (content, extra) => ({ model: group, messages: [{ role: 'user', content }], ...extra });
export const responsesBody = (input, extra) => ({ model: group, input, ...extra });
export const messagesBody = (content, extra) => ({
  model: group,
  max_tokens: 1024,
  messages: [{ role: 'user', content }],
  ...extra,
});

// A function that the model may call, and what the provider makes of its schema.
export const weather = {
  name: 'get_weather',
  description: 'The weather of a city.',
  schema: {
    type: 'object',
    properties: {
      city: { type: 'string', enum: ['Zürich', 'Genève'] },
      days: { type: 'integer' },
      exact: { type: 'boolean' },
    },
    required: ['city', 'days', 'exact'],
    additionalProperties: false,
  },
  arguments: { city: 'Zürich', days: 1, exact: true },
};

// Collects what an async iterable yields.
export async function collect(iterable) {
  const all = [];
  for await (const one of iterable) {
    all.push(one);
  }
  return all;
}
