package chat

import (
	"testing"

	"octopus/codec/llm"
)

func TestUsage(t *testing.T) {
	f := func(name string, want llm.Usage, objects ...string) {
		t.Helper()
		t.Run(name, func(t *testing.T) {
			var u Usage
			for _, object := range objects {
				u.Merge([]byte(object))
			}
			u.Tokens.Finish()
			if got := u.Neutral(); got != want {
				t.Errorf("got %+v, want %+v", got, want)
			}
		})
	}
	const reported = llm.Reported
	f("nothing", llm.Usage{})
	f("empty", llm.Usage{}, `{}`)
	f("all of OpenAI's",
		llm.Usage{Input: 40, CacheRead: 50, CacheWrite5m: 10, Output: 20, Reasoning: 8, InputAudio: 1, OutputAudio: 2, Knowledge: reported},
		`{"prompt_tokens":100,"completion_tokens":20,"total_tokens":120,"prompt_tokens_details":{"cached_tokens":50,`+
			`"cache_write_tokens":10,"audio_tokens":1},"completion_tokens_details":{"reasoning_tokens":8,"audio_tokens":2}}`)
	f("twice, the second with the cache", llm.Usage{Input: 36, CacheRead: 64, Output: 2, Knowledge: reported},
		`{"prompt_tokens":100,"completion_tokens":2}`,
		`{"prompt_tokens":100,"completion_tokens":2,"prompt_tokens_details":{"cached_tokens":64}}`)
	f("twice, the second without the cache", llm.Usage{Input: 36, CacheRead: 64, Output: 2, Knowledge: reported},
		`{"prompt_tokens":100,"completion_tokens":2,"prompt_tokens_details":{"cached_tokens":64}}`,
		`{"prompt_tokens":100,"completion_tokens":2,"prompt_tokens_details":{"cached_tokens":0}}`)
	f("growing", llm.Usage{Input: 5, Output: 9, Knowledge: reported},
		`{"prompt_tokens":5,"completion_tokens":1}`, `{"prompt_tokens":5,"completion_tokens":9}`)
	f("DeepSeek", llm.Usage{Input: 36, CacheRead: 64, Output: 2, Knowledge: reported},
		`{"prompt_tokens":100,"completion_tokens":2,"prompt_cache_hit_tokens":64,"prompt_cache_miss_tokens":36}`)
	f("xAI counts reasoning beside the completion", llm.Usage{Input: 32, Output: 103, Reasoning: 94, Knowledge: reported},
		`{"prompt_tokens":32,"completion_tokens":9,"total_tokens":135,"completion_tokens_details":{"reasoning_tokens":94}}`)
	f("negative", llm.Usage{Output: 3, Knowledge: llm.Partial}, `{"prompt_tokens":-1,"completion_tokens":3}`)
	f("absurd", llm.Usage{Input: 3, Knowledge: llm.Partial}, `{"prompt_tokens":3,"completion_tokens":1e30}`)
	f("other types", llm.Usage{Input: 3, Knowledge: reported},
		`{"prompt_tokens":3.0,"completion_tokens":"7","prompt_tokens_details":[],"completion_tokens_details":null}`)
	f("no object", llm.Usage{}, `[1]`)
}
