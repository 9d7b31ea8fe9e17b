package responses

import (
	"fmt"
	"strings"

	"octopus/codec/llm"
)

// describe words a conversation in short lines, one per item.
func describe(r *llm.Request) string {
	var b strings.Builder
	for i := range r.System {
		b.WriteString("system: " + describeItem(&r.System[i]) + "\n")
	}
	for i := range r.Turns {
		t := &r.Turns[i]
		fmt.Fprintf(&b, "%s[%d] %s:", t.Path.List, t.Path.Index, [...]string{"user", "assistant", "system"}[t.Role])
		for j := range t.Items {
			b.WriteString(" " + describeItem(&t.Items[j]))
		}
		b.WriteString("\n")
	}
	return b.String()
}

func describeItem(it *llm.Item) string {
	s := map[llm.ItemKind]string{
		llm.Text: "text", llm.Refusal: "refusal", llm.Image: "image", llm.Audio: "audio", llm.File: "file",
		llm.Thought: "thought", llm.Call: "call", llm.Result: "result", llm.Hosted: "hosted",
		llm.Reference: "reference", llm.Opaque: "opaque",
	}[it.Kind] + "("
	var words []string
	word := func(name, value string) {
		if value != "" {
			words = append(words, name+value)
		}
	}
	word("", string(it.Text))
	word("id=", it.ID)
	word("call=", it.CallID)
	word("ns=", it.Namespace)
	word("name=", it.Name)
	word("args=", string(it.Arguments))
	word("phase=", it.Phase)
	word("seal=", string(it.Seal))
	word("type=", it.Media.Type)
	word("data=", string(it.Media.Data))
	word("url=", it.Media.URL)
	word("file=", it.Media.FileID)
	word("title=", it.Media.Name)
	word("plain=", string(it.Media.Text))
	word("detail=", it.Media.Detail)
	for i, flag := range [...]bool{it.Custom, it.IsError, it.Summary, it.Redacted} {
		if flag {
			words = append(words, [...]string{"custom", "error", "summary", "redacted"}[i])
		}
	}
	word("cache=", [...]string{"", "short", "long"}[it.Cache])
	for i := range it.Citations {
		words = append(words, "cites="+it.Citations[i].URL)
	}
	for i := range it.Parts {
		words = append(words, describeItem(&it.Parts[i]))
	}
	return s + strings.Join(words, " ") + ")"
}

// describeTools words the tools of a request.
func describeTools(r *llm.Request) string {
	var words []string
	for i := range r.Tools {
		t := &r.Tools[i]
		s := [...]string{"function", "custom", "search", "toolsearch", "remote", "other"}[t.Kind] + " "
		if t.Namespace != "" {
			s += t.Namespace + "/"
		}
		s += t.Name
		if t.Schema != nil {
			s += " " + string(t.Schema)
		}
		if t.Strict != nil {
			s += fmt.Sprintf(" strict=%t", *t.Strict)
		}
		if t.Syntax != "" {
			s += " " + t.Syntax + "=" + t.Grammar
		}
		words = append(words, s)
	}
	return strings.Join(words, "; ")
}
