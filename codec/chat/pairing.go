package chat

import "octopus/codec/llm"

// pairs says which result answers which call. Chat wants every call answered by a message right behind it, and no
// answer without a call; conversations of other protocols, interrupted ones above all, look otherwise.
type pairs struct {
	ends []pairEnd // the calls and results of the conversation in order
	at   int       // the first one of a turn that was not asked for
}

// pairEnd is a call or a result.
type pairEnd struct {
	turn   int
	item   *llm.Item
	answer int // of a call: the index of its result, or none
	claim  int // of a result: the index of its call, or none
}

// none is no index.
const none = -1

// pairUp finds the result of every call: the last one with its id before the id is used again.
func (w *writer) pairUp() {
	var open map[string]int // the last call of each id
	for i := range w.r.Turns {
		items := w.r.Turns[i].Items
		for j := range items {
			item := &items[j]
			end, n := pairEnd{turn: i, item: item, answer: none, claim: none}, len(w.pairs.ends)
			switch item.Kind {
			case llm.Call:
				if open == nil {
					open = make(map[string]int)
				}
				open[item.CallID] = n
			case llm.Result:
				call, known := open[item.CallID]
				if !known {
					break
				}
				end.claim = call
				if w.pairs.ends[call].answer != none {
					w.drop(w.resultField()) // the last result of a call counts
				}
				w.pairs.ends[call].answer = n
			default:
				continue
			}
			w.pairs.ends = append(w.pairs.ends, end)
		}
	}
}

// of returns the calls and results of a turn. Turns are asked for in order.
func (p *pairs) of(turn int) []pairEnd {
	for p.at < len(p.ends) && p.ends[p.at].turn < turn {
		p.at++
	}
	first := p.at
	for p.at < len(p.ends) && p.ends[p.at].turn == turn {
		p.at++
	}
	return p.ends[first:p.at]
}

// resultField names results of tools in the client's words.
func (w *writer) resultField() string {
	return w.word("messages.tool", "input.function_call_output", "messages.content.tool_result")
}
