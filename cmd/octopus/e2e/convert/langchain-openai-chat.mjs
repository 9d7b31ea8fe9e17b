// @langchain/openai, Chat Completions.
import { ChatOpenAI } from '@langchain/openai';
import { baseURL } from '../gateway.mjs';
import { runLangChain } from './langchain.mjs';

await runLangChain({
  speaks: 'chat',
  model: ({ model, limit, stop, thinks }) =>
    new ChatOpenAI({
      model,
      maxTokens: limit,
      stop,
      maxRetries: 0,
      useResponsesApi: false,
      reasoning: thinks ? { effort: 'medium' } : undefined,
      configuration: { baseURL },
      apiKey: process.env.OCTOPUS_KEY,
    }),
  image: (url) => ({ type: 'image_url', image_url: { url } }),
  format: (model, schema) =>
    model.withConfig({ response_format: { type: 'json_schema', json_schema: { name: 'forecast', schema, strict: true } } }),
  stopOf: ({ response_metadata: { finish_reason: reason } }) =>
    ({ stop: 'end', length: 'limit', content_filter: 'refused' })[reason],
});
