// Requests in the shape that coding agents send: Codex over Responses, Claude Code over Messages. Each does two rounds of calls.
import assert from 'node:assert/strict';
import { run } from '../cases.mjs';
import { anthropic, openai } from '../gateway.mjs';
import { forecasts, thinker, upstreams } from './suite.mjs';

// Models that think, say something and call two tools, and one that answers at last.
const calling = (upstream) => thinker(upstream, 'reasoning=6,tokens=3,calls=2');
const answering = (upstream) => thinker(upstream, 'reasoning=6,rounds=1');
const toldByTools = /Your tools said: sunny \| rainy$/;

const codex = {
  instructions: 'You are a coding agent. '.repeat(50),
  tools: [
    {
      type: 'function',
      name: 'shell',
      description: 'Runs a shell command.',
      strict: false,
      parameters: {
        type: 'object',
        properties: { command: { type: 'array', items: { type: 'string' } }, timeout_ms: { type: 'number' } },
        required: ['command'],
        additionalProperties: false,
      },
    },
    {
      type: 'custom',
      name: 'apply_patch',
      description: 'Use the `apply_patch` tool to edit files.',
      format: { type: 'grammar', syntax: 'lark', definition: 'start: "*** Begin Patch" /(.|\\n)*/' },
    },
    {
      type: 'namespace',
      name: 'mcp__files',
      description: 'Files.',
      tools: [{ type: 'function', name: 'read', parameters: { type: 'object', properties: { path: { type: 'string' } } } }],
    },
    { type: 'web_search', external_web_access: false },
  ],
  tool_choice: 'auto',
  parallel_tool_calls: false,
  reasoning: { effort: 'medium', summary: 'auto' },
  store: false,
  include: ['reasoning.encrypted_content'],
  prompt_cache_key: '019a0000-0000-7000-8000-000000000000',
  text: { verbosity: 'low' },
};

const message = (role, text) => {
  const type = role === 'assistant' ? 'output_text' : 'input_text';
  return { type: 'message', role, content: [{ type, text }] };
};

async function codexOver(upstream) {
  let input = [
    message('developer', '<permissions instructions>'),
    message('user', '<environment_context>\n  <cwd>/work</cwd>\n</environment_context>'),
    message('user', 'Hello'),
    { type: 'custom_tool_call', call_id: 'call_patch', name: 'apply_patch', input: '*** Begin Patch\n*** End Patch' },
    { type: 'custom_tool_call_output', call_id: 'call_patch', output: '{"output":"Done"}' },
    message('assistant', 'Done.'),
    message('user', 'Go on'),
  ];
  for (let round = 0; round < 2; round++) {
    const response = await openai.responses.stream({ ...codex, model: calling(upstream), input }).finalResponse();
    const calls = response.output.filter((item) => item.type === 'function_call');
    assert.equal(calls.length, 2);
    assert.deepEqual(JSON.parse(calls[0].arguments), { command: ['example'], timeout_ms: 1.5 });
    // Codex sends items back without their ids and states.
    const items = response.output.map(({ id, status, parsed_arguments, ...item }) =>
      item.type === 'message' ? { ...item, content: item.content.map(({ parsed, ...part }) => part) } : item,
    );
    const outputs = calls.map(({ call_id }, i) => ({ type: 'function_call_output', call_id, output: forecasts[i] }));
    input = [...input, ...items, ...outputs];
  }
  const last = await openai.responses.stream({ ...codex, model: answering(upstream), input }).finalResponse();
  assert.equal(last.status, 'completed');
  assert.match(last.output_text, toldByTools);
}

const ephemeral = { cache_control: { type: 'ephemeral', ttl: '1h' } };
const claudeTool = (name, properties) => ({
  name,
  description: `The tool ${name}.`,
  input_schema: {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    type: 'object',
    properties,
    additionalProperties: false,
  },
});
const user = { device_id: 'd'.repeat(64), account_uuid: '', session_id: '019a0000-0000-7000-8000-000000000000' };
const claudeCode = {
  max_tokens: 32_000,
  system: [
    { type: 'text', text: 'x-anthropic-billing-header: cc_version=2.1.0; cch=12345;' },
    { type: 'text', text: "You are Claude Code, Anthropic's official CLI for Claude.", ...ephemeral },
    { type: 'text', text: 'You are an interactive agent. '.repeat(50), ...ephemeral },
  ],
  tools: [
    claudeTool('Bash', { command: { type: 'string' }, timeout: { type: 'number', maximum: 600_000 } }),
    claudeTool('Read', { file_path: { type: 'string' }, offset: { type: 'integer', minimum: 0 } }),
    claudeTool('mcp__files__list', { path: { type: 'string', format: 'uri' } }),
  ],
  metadata: { user_id: JSON.stringify(user) },
  context_management: { edits: [{ type: 'clear_thinking_20251015', keep: 'all' }] },
  betas: ['claude-code-20250219', 'interleaved-thinking-2025-05-14', 'context-management-2025-06-27'],
};

async function claudeCodeOver(upstream, thinking) {
  const messages = [
    {
      role: 'user',
      content: [
        { type: 'text', text: '<system-reminder>\nAs you answer\n</system-reminder>' },
        { type: 'text', text: 'Hello', ...ephemeral },
      ],
    },
  ];
  const answerOf = (model) => anthropic.beta.messages.stream({ ...claudeCode, thinking, model, messages }).finalMessage();
  for (let round = 0; round < 2; round++) {
    const answer = await answerOf(calling(upstream));
    const calls = answer.content.filter((block) => block.type === 'tool_use');
    assert.deepEqual(calls.map((call) => call.input), Array(2).fill({ command: 'example', timeout: 1.5 }));
    const content = calls.map(({ id }, i) => ({
      type: 'tool_result',
      tool_use_id: id,
      content: [{ type: 'text', text: forecasts[i] }],
      ...(round === 0 && i === 1 && ephemeral),
    }));
    const said = answer.content.map(({ parsed_output, ...block }) => block);
    messages.push({ role: 'assistant', content: said }, { role: 'user', content });
  }
  assert.match((await answerOf(answering(upstream))).content.at(-1).text, toldByTools);
}

const cases = {};
for (const upstream of upstreams) {
  cases[`Codex over ${upstream}`] = () => codexOver(upstream);
  cases[`Claude Code over ${upstream}`] = () => claudeCodeOver(upstream, { type: 'adaptive' });
  cases[`an older Claude Code over ${upstream}`] = () => claudeCodeOver(upstream, { type: 'enabled', budget_tokens: 31_999 });
}
await run(cases);
