// Whatever a client asks of the reasoning, the calls and the sampling: each model gets only what it takes. The strict provider
// knows the models by their names, as the gateway does, but from a table of its own.
import assert from 'node:assert/strict';
import { run } from '../cases.mjs';
import { anthropic, chatBody, messagesBody, openai, responsesBody, weather } from '../gateway.mjs';

const claudes = [
  'claude-sonnet-5-5', 'claude-opus-5-5', 'claude-haiku-5-5', 'claude-opus-5', 'claude-sonnet-5', 'claude-fable-5-1',
  'claude-fable-5', 'claude-mythos-5', 'claude-opus-4-8', 'claude-opus-4-7', 'claude-opus-4-6', 'claude-sonnet-4-6',
  'claude-opus-4-5-20251101', 'claude-sonnet-4-5-20250929', 'claude-haiku-4-5', 'claude-opus-4-1', 'claude-sonnet-4-20250514',
  'claude-opus-4-20250514', 'claude-3-7-sonnet-latest', 'claude-3-5-haiku-20241022', 'claude-3-opus-20240229', 'claude-next',
  'another-model',
];
const gpts = [
  'gpt-4o', 'gpt-4.1-mini', 'gpt-5', 'gpt-5-mini', 'gpt-5-chat-latest', 'gpt-5.1', 'gpt-5.4', 'gpt-5.4-mini', 'gpt-6', 'gpt-6-sol',
  'gpt-6.1-terra', 'o3', 'o4-mini', 'another-model',
];
const efforts = [undefined, 'none', 'minimal', 'low', 'medium', 'high', 'xhigh', 'max'];

const chatTool = { type: 'function', function: { name: weather.name, parameters: weather.schema } };
const responsesTool = { type: 'function', name: weather.name, parameters: weather.schema };
const messagesTool = { name: weather.name, input_schema: weather.schema };

// What is added to each request, by protocol.
const extras = {
  chat: {
    nothing: {},
    sampling: { temperature: 0.5, top_p: 0.9, presence_penalty: 0.5, stop: ['never'], max_tokens: 2000 },
    'a short answer': { max_completion_tokens: 100 },
    'a forced call': { tools: [chatTool], tool_choice: 'required', parallel_tool_calls: false },
    'a named call': { tools: [chatTool], tool_choice: { type: 'function', function: { name: weather.name } } },
    'a schema': { response_format: { type: 'json_schema', json_schema: { name: 'forecast', schema: weather.schema } } },
  },
  responses: {
    nothing: {},
    sampling: { temperature: 0.5, top_p: 0.9, max_output_tokens: 2000 },
    'a short answer': { max_output_tokens: 100 },
    'a forced call': { tools: [responsesTool], tool_choice: 'required', parallel_tool_calls: false },
    'a named call': { tools: [responsesTool], tool_choice: { type: 'function', name: weather.name } },
    'a schema': { text: { format: { type: 'json_schema', name: 'forecast', schema: weather.schema, strict: false } } },
  },
  messages: {
    nothing: {},
    sampling: { temperature: 1, top_k: 5, stop_sequences: ['a', 'b', 'c', 'd', 'e', 'never'] },
    'a short answer': { max_tokens: 2 },
    'a forced call': { tools: [messagesTool], tool_choice: { type: 'any', disable_parallel_tool_use: true } },
    'a named call': { tools: [messagesTool], tool_choice: { type: 'tool', name: weather.name } },
    'a schema': { output_config: { format: { type: 'json_schema', schema: weather.schema } } },
  },
};

// The ways to ask for thinking, with their names.
const thinking = {
  chat: efforts.map((effort) => [`effort ${effort}`, { reasoning_effort: effort }]),
  responses: efforts.map((effort) => [`effort ${effort}`, { reasoning: { effort, summary: 'auto' } }]),
  messages: [
    ['no thinking', {}],
    ['thinking off', { thinking: { type: 'disabled' } }],
    ['adaptive thinking', { thinking: { type: 'adaptive' } }],
    ['thinking between tools', { thinking: { type: 'between_tools' } }],
    ...[1024, 8000, 20_000, 40_000].map((budget_tokens) => [
      `a budget of ${budget_tokens}`,
      { thinking: { type: 'enabled', budget_tokens }, max_tokens: 50_000 },
    ]),
    ...efforts.slice(3).map((effort) => [`effort ${effort}`, { output_config: { effort } }]),
  ],
};

// The SDK wants a time limit for whole answers that may be long.
const patient = anthropic.withOptions({ timeout: 10_000 });

const ask = {
  chat: (model, extra) => openai.chat.completions.create(chatBody('Hello', { ...extra, model })),
  responses: (model, extra) => openai.responses.create(responsesBody('Hello', { store: false, ...extra, model })),
  messages: (model, extra) => patient.messages.create(messagesBody('Hello', { ...extra, model })),
};

const cases = {};
for (const [client, ways] of Object.entries(thinking)) {
  for (const [what, extra] of Object.entries(extras[client])) {
    for (const upstream of ['chat', 'responses', 'messages'].filter((other) => other !== client)) {
      cases[`${client} over ${upstream}: ${what}`] = async () => {
        const refused = [];
        for (const model of upstream === 'messages' ? claudes : gpts) {
          for (const [way, more] of ways) {
            const output_config = { ...extra.output_config, ...more.output_config };
            const both = { ...more, ...extra, ...((extra.output_config ?? more.output_config) && { output_config }) };
            await ask[client](`${upstream}/${model}`, both).catch((error) => refused.push(`${model}, ${way}: ${error.message}`));
          }
        }
        assert.deepEqual(refused, []);
      };
    }
  }
}
await run(cases);
