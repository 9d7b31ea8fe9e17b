package llm

import "testing"

func TestInclusive(t *testing.T) {
	f := func(name string, got, want Usage) {
		t.Helper()
		if got != want {
			t.Errorf("%s: got %+v, want %+v", name, got, want)
		}
	}
	f("caches are part of the prompt", Inclusive(100, 60, 20, 10, 7, 3),
		Usage{Input: 10, CacheRead: 60, CacheWrite5m: 20, CacheWrite1h: 10, Output: 7, Reasoning: 3})
	f("nothing but cache", Inclusive(100, 100, 0, 0, 7, 0), Usage{CacheRead: 100, Output: 7})
	f("a prompt that excludes its caches", Inclusive(10, 60, 20, 0, 7, 0),
		Usage{Input: 10, CacheRead: 60, CacheWrite5m: 20, Output: 7})
	f("more reasoning than output", Inclusive(1, 0, 0, 0, 7, 9), Usage{Input: 1, Output: 7, Reasoning: 7})
}

func TestTokens(t *testing.T) {
	f := func(name string, numbers []int64, finish bool, want int64, wantKnowledge Knowledge) {
		t.Helper()
		t.Run(name, func(t *testing.T) {
			var tokens Tokens
			var count int64
			for _, n := range numbers {
				tokens.Take(&count, n)
			}
			if finish {
				tokens.Finish()
			}
			if count != want || tokens.Knowledge() != wantKnowledge {
				t.Errorf("got %d, %v, want %d, %v", count, tokens.Knowledge(), want, wantKnowledge)
			}
		})
	}
	f("nothing", nil, true, 0, Unknown)
	f("one number", []int64{5}, true, 5, Reported)
	f("zero is a number", []int64{0}, true, 0, Reported)
	f("no last word", []int64{5}, false, 5, Partial)
	f("the later number wins", []int64{9, 5}, true, 5, Reported)
	f("zero wipes nothing out", []int64{9, 0}, true, 9, Reported)
	f("negative", []int64{9, -1}, true, 9, Partial)
	f("beyond belief", []int64{MaxTokens + 1, MaxTokens}, true, MaxTokens, Partial)
	f("nothing but nonsense", []int64{-1}, true, 0, Unknown)
}

func TestSums(t *testing.T) {
	u := Usage{Input: 1, CacheRead: 2, CacheWrite5m: 4, CacheWrite1h: 8, Output: 16, Reasoning: 3}
	if u.Prompt() != 15 || u.Total() != 31 {
		t.Errorf("prompt %d, total %d, want 15, 31", u.Prompt(), u.Total())
	}
}
