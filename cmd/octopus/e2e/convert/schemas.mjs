// Schemas as clients really send them, of tools and of answers. The strict provider takes only what the real one's mode knows.
import assert from 'node:assert/strict';
import { run } from '../cases.mjs';
import { anthropic, chatBody, messagesBody, openai, responsesBody } from '../gateway.mjs';

const objectOf = (properties, more) => ({ type: 'object', properties, ...more });
const closed = (properties) => objectOf(properties, { required: Object.keys(properties), additionalProperties: false });

const schemas = {
  'closed': closed({ a: { type: 'string' }, b: { type: ['integer', 'null'] } }),
  'partly optional': objectOf({ a: { type: 'string' }, b: { type: 'string' } }, { required: ['a'], additionalProperties: false }),
  'open': objectOf({ a: { type: 'string' } }),
  'open to strings': objectOf({ a: { type: 'string' } }, { additionalProperties: { type: 'string' } }),
  'of nothing': objectOf({}),
  'with bounds': closed({
    a: { type: 'string', minLength: 1, maxLength: 9, pattern: '^x' },
    b: { type: 'integer', minimum: 0, maximum: 9, multipleOf: 3 },
    c: { type: 'array', items: { type: 'string' }, minItems: 2, maxItems: 5 },
  }),
  'with formats': closed({ a: { type: 'string', format: 'date-time' }, b: { type: 'string', format: 'phone' } }),
  'of a set': closed({ a: { type: 'array', items: { type: 'string' }, uniqueItems: true } }),
  'with choices': closed({ a: { oneOf: [{ type: 'string' }, { type: 'null' }] }, b: { anyOf: [{ const: 1 }, { enum: ['x'] }] } }),
  'with defaults': closed({ a: { type: 'string', default: 'x', description: 'An a.', title: 'A' } }),
  'with definitions': { ...closed({ a: { $ref: '#/$defs/b' } }), $defs: { b: closed({ c: { type: 'string' } }) } },
  'that refers to itself': { ...closed({ a: { $ref: '#/$defs/b' } }), $defs: { b: objectOf({ next: { $ref: '#/$defs/b' } }) } },
  'with much that is optional': objectOf(Object.fromEntries(Array.from({ length: 30 }, (_, i) => [`p${i}`, { type: 'string' }]))),
  'with its draft': { $schema: 'https://json-schema.org/draft/2020-12/schema', ...closed({ a: { type: 'string' } }) },
  'nested': closed({ a: objectOf({ b: { type: 'array', items: objectOf({ c: { type: 'number' } }) } }) }),
};
// What only Anthropic needs mended.
const unions = { 'that is a union': { anyOf: [closed({ a: { type: 'string' } }), closed({ b: { type: 'string' } })] } };
const odd = { 'without a type': { properties: { a: { type: 'string' } } }, 'that is empty': {} };

const models = {
  chat: ['gpt-4.1', 'another-model'],
  responses: ['gpt-5.4'],
  messages: ['claude-opus-4-8', 'claude-sonnet-4-5', 'claude-sonnet-4', 'another-model'],
};

const ask = {
  chat: (model, extra) => openai.chat.completions.create(chatBody('Hello', { ...extra, model })),
  responses: (model, extra) => openai.responses.create(responsesBody('Hello', { store: false, ...extra, model })),
  messages: (model, extra) => anthropic.messages.create(messagesBody('Hello', { ...extra, model })),
};

// How a protocol says that a tool takes a schema, or that the answer is to have it. strict may be missing.
const tool = {
  chat: (parameters, strict) => ({ tools: [{ type: 'function', function: { name: 'f', parameters, strict } }] }),
  responses: (parameters, strict) => ({ tools: [{ type: 'function', name: 'f', parameters, strict }] }),
  messages: (input_schema, strict) => ({ tools: [{ name: 'f', input_schema, strict }] }),
};
const format = {
  chat: (schema, strict) => ({ response_format: { type: 'json_schema', json_schema: { name: 'answer', schema, strict } } }),
  responses: (schema, strict) => ({ text: { format: { type: 'json_schema', name: 'answer', schema, strict } } }),
  messages: (schema) => ({ output_config: { format: { type: 'json_schema', schema } } }),
};

// What the provider that a client was made for knows in its strict mode; the client sets it for no others.
const strictOpenAI = ['closed', 'with bounds', 'with definitions', 'with its draft'];
const strictAnthropic = ['closed', 'partly optional', 'with defaults', 'with definitions', 'with its draft'];
const strictest = { chat: strictOpenAI, responses: strictOpenAI, messages: strictAnthropic };

const cases = {};
for (const client of Object.keys(ask)) {
  for (const upstream of Object.keys(models).filter((other) => other !== client)) {
    for (const [what, way, all] of [
      ['a tool', tool, upstream === 'messages' ? { ...schemas, ...unions, ...odd } : schemas],
      ['an answer', format, schemas],
    ]) {
      cases[`${client} over ${upstream}: the schemas of ${what}`] = async () => {
        const refused = [];
        for (const [name, schema] of Object.entries(all)) {
          const strict = strictest[client].includes(name) ? [undefined, false, true] : [undefined, false];
          for (const model of models[upstream]) {
            for (const mode of strict) {
              await ask[client](`${upstream}/${model}`, way[client](schema, mode)).catch((error) =>
                refused.push(`${model}, a schema ${name}, strict ${mode}: ${error.message}`),
              );
            }
          }
        }
        assert.deepEqual(refused, []);
      };
    }
  }
}
await run(cases);
