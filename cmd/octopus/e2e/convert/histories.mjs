// Histories as clients really send them: with gaps, odd ids, leftovers of other providers. Whatever can be told in the provider's
// protocol must be told so that the provider takes it.
import { run } from '../cases.mjs';
import { anthropic, openai } from '../gateway.mjs';
import { pixel } from './suite.mjs';

const user = (content) => ({ role: 'user', content });
const assistant = (content, more) => ({ role: 'assistant', content, ...more });
const image = `data:image/png;base64,${pixel}`;
const pdf = 'data:application/pdf;base64,JVBERi0x';
const long = 'x'.repeat(300);

const chatCall = (id, args = '{"city":"Bern"}', name = 'get_weather') => ({
  id,
  type: 'function',
  function: { name, arguments: args },
});
const chatCalls = (...calls) => assistant(null, { tool_calls: calls });
const chatResult = (tool_call_id, content = 'sunny') => ({ role: 'tool', tool_call_id, content });

const chat = {
  'system messages everywhere': [
    { role: 'system', content: 'One.' },
    { role: 'developer', content: [{ type: 'text', text: 'Two.' }] },
    user('Hello'),
    { role: 'system', content: 'Three.' },
    assistant('Hi'),
    { role: 'system', content: 'Four.' },
    user('Again'),
  ],
  'only a system message': [{ role: 'system', content: 'Say hello.' }],
  'the assistant first and last': [assistant('Welcome'), user('Hello'), assistant('I am ')],
  'messages of one role in a row': [user('One'), user('Two'), assistant('Three'), assistant('Four'), user('Five')],
  'empty and blank texts': [
    user('Hello'),
    assistant(''),
    user(' '),
    assistant('  \n'),
    user([{ type: 'text', text: '' }]),
    user('Again'),
  ],
  'calls with an empty text': [user('Hello'), assistant('', { tool_calls: [chatCall('a')] }), chatResult('a'), user('Thanks')],
  'results in another order': [user('Hello'), chatCalls(chatCall('a'), chatCall('b')), chatResult('b'), chatResult('a')],
  'arguments of all kinds': [
    user('Hello'),
    chatCalls(chatCall('a', ''), chatCall('b', '[1]'), chatCall('c', '{"broken'), chatCall('d', '{"n":9007199254740993,"x":1.0}')),
    ...['a', 'b', 'c', 'd'].map((id) => chatResult(id)),
  ],
  'an id in two turns': [
    user('Hello'),
    chatCalls(chatCall('call_0')),
    chatResult('call_0'),
    chatCalls(chatCall('call_0')),
    chatResult('call_0'),
    user('Thanks'),
  ],
  'ids of other providers': [
    user('Hello'),
    chatCalls(chatCall('functions.get_weather:0'), chatCall(long)),
    chatResult('functions.get_weather:0'),
    chatResult(long),
  ],
  'names of other providers': [
    user('Hello'),
    chatCalls(chatCall('a', '{}', 'my.server/get weather')),
    chatResult('a'),
    user('Thanks'),
  ],
  'an empty result': [user('Hello'), chatCalls(chatCall('a')), chatResult('a', ''), user('Thanks')],
  'an image and a file': [
    user([
      { type: 'text', text: 'See' },
      { type: 'image_url', image_url: { url: image, detail: 'high' } },
      { type: 'image_url', image_url: { url: 'https://example.com/a.png' } },
      { type: 'file', file: { filename: 'a.pdf', file_data: pdf } },
    ]),
  ],
  'a participant with a name': [{ ...user('Hello'), name: 'anna' }, assistant('Hi'), { ...user('Hello'), name: 'ben' }],
  'a refusal and reasoning': [user('Hello'), assistant(null, { refusal: 'No.' }), user('Please'), assistant('Hi'), user('Again')],
  'a function, as it once was': [
    user('Hello'),
    assistant(null, { function_call: { name: 'get_weather', arguments: '{}' } }),
    { role: 'function', name: 'get_weather', content: 'sunny' },
    user('Thanks'),
  ],
};
// What OpenAI refuses too, and the gateway mends on the way to others.
const brokenChat = {
  'a call that nobody answered': [user('Hello'), chatCalls(chatCall('a'), chatCall('b')), chatResult('b'), user('Go on')],
  'a result of no call': [user('Hello'), chatResult('a'), user('Go on')],
  'two results of a call': [user('Hello'), chatCalls(chatCall('a')), chatResult('a'), chatResult('a', 'rainy'), user('Go on')],
  'a result that comes late': [user('Hello'), chatCalls(chatCall('a')), user('Wait'), chatResult('a'), user('Go on')],
};

const message = (role, type, text) => ({ type: 'message', role, content: [{ type, text }] });
const call = (call_id, more) => ({ type: 'function_call', call_id, name: 'get_weather', arguments: '{"city":"Bern"}', ...more });
const output = (call_id, more) => ({ type: 'function_call_output', call_id, output: 'sunny', ...more });

const responses = {
  'system messages everywhere': [
    message('system', 'input_text', 'One.'),
    message('developer', 'input_text', 'Two.'),
    message('user', 'input_text', 'Hello'),
    message('developer', 'input_text', 'Three.'),
    message('assistant', 'output_text', 'Hi'),
    message('user', 'input_text', 'Again'),
  ],
  'a turn in many items': [
    user('Hello'),
    { type: 'reasoning', summary: [{ type: 'summary_text', text: 'Hm.' }] },
    message('assistant', 'output_text', 'I look.'),
    call('a'),
    call('b'),
    output('b'),
    output('a'),
    message('assistant', 'output_text', 'Sunny.'),
    user('Thanks'),
  ],
  'reasoning between a call and its result': [
    user('Hello'),
    call('a'),
    { type: 'reasoning', summary: [] },
    message('assistant', 'output_text', 'Moment.'),
    output('a'),
  ],
  'results as lists': [
    user('Hello'),
    call('a'),
    output('a', {
      output: [
        { type: 'input_text', text: 'here' },
        { type: 'input_image', image_url: image, detail: 'auto' },
        { type: 'input_file', filename: 'a.pdf', file_data: pdf },
      ],
    }),
    user('Thanks'),
  ],
  'a custom call': [
    user('Hello'),
    { type: 'custom_tool_call', call_id: 'a', name: 'run', input: 'print("a\\n")' },
    { type: 'custom_tool_call_output', call_id: 'a', output: 'done' },
    user('Thanks'),
  ],
  'a call in a namespace': [user('Hello'), call('a', { namespace: 'sky' }), output('a'), user('Thanks')],
  'calls without arguments': [user('Hello'), call('a', { arguments: '' }), output('a', { output: '' }), user('Thanks')],
  'phases': [user('Hello'), { ...message('assistant', 'output_text', 'Hm.'), phase: 'commentary' }, user('Again')],
  'ids of other providers': [user('Hello'), call('functions.a:0'), call(long), output('functions.a:0'), output(long)],
  'the assistant last': [user('Hello'), message('assistant', 'output_text', 'I am ')],
  'an assistant that refused': [
    user('Hello'),
    { type: 'message', role: 'assistant', content: [{ type: 'refusal', refusal: 'No.' }] },
    user('Please'),
  ],
  'an image and a file': [
    user([
      { type: 'input_text', text: 'See' },
      { type: 'input_image', image_url: image, detail: 'low' },
      { type: 'input_file', filename: 'a.pdf', file_data: pdf },
    ]),
  ],
};
const brokenResponses = {
  'an answer that another made': [
    user('Hello'),
    { type: 'reasoning', id: 'rs_1', summary: [], encrypted_content: 'gAAAAfromSomewhereElse' },
    { ...message('assistant', 'output_text', 'Hi'), id: 'msg_1' },
    call('a', { id: 'fc_1' }),
    output('a'),
    user('Again'),
  ],
  'a call that nobody answered': [user('Hello'), call('a'), call('b'), output('b'), user('Go on')],
  'a result of no call': [user('Hello'), output('a'), user('Go on')],
  'a result that comes late': [user('Hello'), call('a'), user('Wait'), output('a'), user('Go on')],
  'an agent that speaks': [user('Hello'), { type: 'agent_message', content: 'I am done.' }, user('Again')],
};

const text = (value) => ({ type: 'text', text: value });
const use = (id, more) => ({ type: 'tool_use', id, name: 'get_weather', input: { city: 'Bern' }, ...more });
const result = (tool_use_id, more) => ({ type: 'tool_result', tool_use_id, content: 'sunny', ...more });
const picture = { type: 'image', source: { type: 'base64', media_type: 'image/png', data: pixel } };

const messages = {
  'calls, results and more': [
    user('Hello'),
    assistant([text('I look.'), use('a'), use('b')]),
    user([result('b'), result('a', { is_error: true }), text('And now?'), picture]),
    assistant([text('Sunny.')]),
    user('Thanks'),
  ],
  'results as blocks': [
    user('Hello'),
    assistant([use('a'), use('b')]),
    user([result('a', { content: [text('here'), picture, text('there')] }), result('b', { content: undefined })]),
  ],
  'documents of all kinds': [
    user([
      text('Read'),
      { type: 'document', title: 'a', source: { type: 'base64', media_type: 'application/pdf', data: 'JVBERi0x' } },
      { type: 'document', context: 'b', source: { type: 'text', media_type: 'text/plain', data: 'plain' } },
      { type: 'document', source: { type: 'content', content: [text('block'), picture] } },
      { type: 'search_result', source: 'https://example.com', title: 'Found', content: [text('this')] },
    ]),
  ],
  'marks of the cache': [
    user([{ ...text('One'), cache_control: { type: 'ephemeral', ttl: '1h' } }]),
    assistant([{ ...use('a'), cache_control: { type: 'ephemeral' } }]),
    user([{ ...result('a'), cache_control: { type: 'ephemeral' } }]),
  ],
  'messages of one role in a row': [user('One'), user('Two'), assistant('Three'), assistant('Four'), user('Five')],
  'the assistant last': [user('Hello'), assistant('I am')],
  'calls without arguments': [user('Hello'), assistant([use('a', { input: {} })]), user([result('a')])],
  'an id in two turns': [
    user('Hello'),
    assistant([use('toolu_0')]),
    user([result('toolu_0')]),
    assistant([use('toolu_0', { id: 'toolu_1' })]),
    user([result('toolu_1')]),
  ],
};
const brokenMessages = {
  'thinking that another made': [
    user('Hello'),
    assistant([
      { type: 'thinking', thinking: 'Hm.', signature: 'fromSomewhereElse' },
      { type: 'redacted_thinking', data: 'fromSomewhereElse' },
      use('a'),
    ]),
    user([result('a')]),
  ],
  'a search that another made': [
    user('Hello'),
    assistant([
      { type: 'server_tool_use', id: 'srvtoolu_1', name: 'web_search', input: { query: 'x' } },
      {
        type: 'web_search_tool_result',
        tool_use_id: 'srvtoolu_1',
        content: [{ type: 'web_search_result', url: 'https://example.com', title: 'x', encrypted_content: 'x' }],
      },
      text('Found.'),
    ]),
    user('Thanks'),
  ],
  'empty and blank texts': [user([text('Hello'), text('')]), assistant([text(' ')]), user('Again')],
  'a call that nobody answered': [user('Hello'), assistant([use('a'), use('b')]), user([result('b'), text('Go on')])],
  'a result of no call': [user([result('a'), text('Go on')])],
};

const models = {
  chat: ['gpt-4.1', 'gpt-5.4', 'another-model'],
  responses: ['gpt-4.1', 'gpt-5.4'],
  messages: ['claude-sonnet-4-5', 'claude-opus-4-6', 'claude-opus-4-8', 'another-model'],
};
const custom = { type: 'custom', name: 'run', description: 'Runs a program.' };
const schema = { type: 'object', properties: { city: { type: 'string' } } };

const tools = [{ type: 'function', name: 'get_weather', parameters: schema }, custom];

const ask = {
  chat: (model, history) => openai.chat.completions.create({ model, messages: history }),
  responses: (model, input) => openai.responses.create({ model, input, store: false, tools }),
  messages: (model, history) =>
    anthropic.messages.create({ model, max_tokens: 99, messages: history, tools: [{ name: 'get_weather', input_schema: schema }] }),
};

const cases = {};
for (const [client, whole, broken] of [
  ['chat', chat, brokenChat],
  ['responses', responses, brokenResponses],
  ['messages', messages, brokenMessages],
]) {
  for (const upstream of Object.keys(models).filter((other) => other !== client)) {
    for (const [name, history] of Object.entries({ ...whole, ...broken })) {
      cases[`${client} over ${upstream}: ${name}`] = async () => {
        for (const model of models[upstream]) {
          await ask[client](`${upstream}/${model}`, history);
        }
      };
    }
  }
}
await run(cases);
