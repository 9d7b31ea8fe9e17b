package llm

import "testing"

func TestFileIDsStayWithTheirProvider(t *testing.T) {
	file := Item{Kind: File, Media: Media{FileID: "file-1"}}
	inUser := []Item{{Kind: Text}, {Kind: Image, Media: Media{FileID: "file-1"}}}
	inResult := []Item{{Kind: Result, Parts: []Item{{Kind: Text}, file}}}
	f := func(name string, client, target Protocol, family string, items []Item, want string) {
		t.Helper()
		r := Request{Protocol: client, Turns: []Turn{{}, {Items: items, Path: Path{List: "messages", Index: 3}}}}
		got := ""
		if err := CheckFileIDs(&Exchange{Request: &r, Target: target, Options: &Options{Family: family}}); err != nil {
			got = err.Param
		}
		if got != want {
			t.Errorf("%s: refused for %q, want %q", name, got, want)
		}
	}
	f("no file", Chat, Messages, "anthropic", []Item{{Kind: Text}}, "")
	f("OpenAI's two protocols", Chat, Responses, "openai", inUser, "")
	f("OpenAI's two protocols, the other way", Responses, Chat, "openai", inResult, "")
	f("a family of its own", Chat, Responses, "azure", inUser, "messages[3].content.file.file_id")
	f("a family of its own, the other way", Responses, Chat, "deepseek", inResult, "messages[3].content.file_id")
	f("the same protocol", Chat, Chat, "deepseek", inUser, "")
	f("OpenAI's to Anthropic", Chat, Messages, "anthropic", inUser, "messages[3].content.file.file_id")
	f("OpenAI's to Anthropic in a result", Responses, Messages, "anthropic", inResult, "messages[3].content.file_id")
	f("Anthropic's to OpenAI", Messages, Chat, "openai", inUser, "messages[3].content.source.file_id")
	f("Anthropic's to OpenAI, Responses", Messages, Responses, "openai", inResult, "messages[3].content.source.file_id")
	inResult[0].RawProtocol = Responses
	f("in an output", Responses, Messages, "anthropic", inResult, "messages[3].output.file_id")
	f("in a document", Messages, Chat, "openai", []Item{{Kind: File, Parts: []Item{file}}}, "messages[3].content.source.file_id")
}
