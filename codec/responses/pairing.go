package responses

import (
	"strconv"

	"octopus/codec/llm"
)

// place is where an item stands: its turn, and its number in that.
type place struct{ turn, item int }

// pairing says which result belongs to which call (protocols.md D.3). The zero value is a conversation without calls.
type pairing struct {
	// results has the place of a call's result by the place of the call.
	results map[place]place
	// answered holds the places of the results that belong to a call, or that a later one for the same call replaces.
	answered map[place]bool
	// ids has the id that a call and its result go by.
	ids map[place]string
}

// id returns the id of the call at a place, or nothing when it is the item's own.
func (p *pairing) id(turn, item int) string { return p.ids[place{turn, item}] }

// pair finds the results of all calls. A result may come late; of several for one call the last one counts. Calls that share
// an id are told apart, and get the results in their order; ids that this protocol can't take are replaced.
func (w *writer) pair() pairing {
	var p pairing
	var last map[string]place      // the latest call with an id
	var waiting map[string][]place // where several calls of a turn share an id: those without a result
	var used map[string]int        // how many calls go by an id
	for i := range w.r.Turns {
		items := w.r.Turns[i].Items
		for j := range items {
			it := &items[j]
			switch it.Kind {
			case llm.Call:
				if p.ids == nil {
					p = pairing{
						results:  make(map[place]place),
						answered: make(map[place]bool),
						ids:      make(map[place]string),
					}
					last, waiting, used = make(map[string]place), make(map[string][]place), make(map[string]int)
				}
				id := distinct(used, string(llm.AppendCallID(nil, it.CallID)))
				// The number may be what makes it too long.
				id = string(llm.AppendCallID(nil, id))
				before, known := last[it.CallID]
				switch {
				case known && before.turn != i:
					delete(waiting, it.CallID)
				case known && len(waiting[it.CallID]) == 0:
					waiting[it.CallID] = []place{before, {i, j}}
				case known:
					waiting[it.CallID] = append(waiting[it.CallID], place{i, j})
				}
				last[it.CallID] = place{i, j}
				p.ids[place{i, j}] = id
			case llm.Result:
				call, known := last[it.CallID]
				if !known {
					continue
				}
				if queue := waiting[it.CallID]; len(queue) > 0 {
					call, waiting[it.CallID] = queue[0], queue[1:]
				} else if _, twice := p.results[call]; twice {
					w.approximate(w.r.Turns[i].Path.List)
				}
				p.results[call] = place{i, j}
				p.answered[place{i, j}] = true
			}
		}
	}
	return p
}

// distinct returns id, or id with a number when it is in use: some upstreams use one id for many calls. used counts how often
// each was asked for.
func distinct(used map[string]int, id string) string {
	used[id]++
	if n := used[id]; n > 1 {
		return distinct(used, id+"_"+strconv.Itoa(n))
	}
	return id
}
