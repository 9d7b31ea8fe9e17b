package requestlog

import (
	"bytes"
	"fmt"
	"testing"
	"time"

	"octopus/admin/store"
	"octopus/gateway/outcome"
)

func TestRowsOfManyBlocksAreFoundEach(t *testing.T) {
	l, s := newLog(t)
	now := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	const batches, rows = 3, 900
	for batch := range batches {
		var all []*outcome.Outcome
		for i := range rows {
			// Long requests finish among later ones: ids of all batches lie between each other.
			o := full(fmt.Sprintf("req_%05d", i*batches+batch))
			o.Attempts = o.Attempts[:1]
			all = append(all, o)
		}
		write(t, l, s, now.Add(time.Duration(batch)*time.Second), all...)
	}
	blocks := 0
	if err := s.Scan(store.SpaceLedger.Range(), func([]byte, []byte) bool { blocks++; return true }); err != nil || blocks < 2*batches {
		t.Fatalf("%d blocks, want several per batch; %v", blocks, err)
	}
	for i := range batches * rows {
		id := fmt.Sprintf("req_%05d", i)
		if row, err := l.Find(id); err != nil || row == nil || row.ID != id {
			t.Fatalf("%s: %+v, %v", id, row, err)
		}
	}
	for _, id := range []string{"req_00000x", "req_", "req_99999", "", "a", "z"} {
		if row, err := l.Find(id); err != nil || row != nil {
			t.Errorf("%q: %+v, %v", id, row, err)
		}
	}
	seen := make(map[string]bool)
	last := ^uint64(0)
	for q := (Query{Limit: 77}); ; {
		page, err := l.Search(q)
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range page.Rows {
			if seen[r.ID] || r.Number >= last {
				t.Fatalf("%s comes again, or out of order", r.ID)
			}
			seen[r.ID], last = true, r.Number
		}
		if page.Next == "" {
			break
		}
		q.Cursor = page.Next
	}
	if len(seen) != batches*rows {
		t.Errorf("%d rows on all pages, want %d", len(seen), batches*rows)
	}
	reopened, err := Open(s)
	if err != nil || reopened.last != l.last {
		t.Errorf("after a reopen the last number is %d, want %d; %v", reopened.last, l.last, err)
	}
}

func TestABlockIsSplitAsItWasMade(t *testing.T) {
	records := [][]byte{[]byte("a"), {}, bytes.Repeat([]byte("b"), 1000)}
	var k block
	for _, record := range records {
		k.add(record)
	}
	got, err := splitBlock(nil, k.records)
	if err != nil || len(got) != len(records) || !bytes.Equal(got[0], records[0]) || len(got[1]) != 0 || !bytes.Equal(got[2], records[2]) {
		t.Errorf("got %q, %v", got, err)
	}
	for cut := 1; cut < len(k.records); cut += 7 {
		if got, err := splitBlock(nil, k.records[:cut]); err == nil && len(got) == len(records) {
			t.Errorf("cut at %d it is still whole", cut)
		}
	}
}

func TestASearchOfManySmallBlocksEndsInTime(t *testing.T) {
	l, s := newLog(t)
	l.searchTime = 0
	const rows = 200
	b, at := s.NewBatch(), time.Now()
	for i := range rows {
		var buffer Buffer
		buffer.Add(full(fmt.Sprintf("req_%05d", i)))
		l.Take([]*Buffer{&buffer}, at.Add(time.Duration(i)*time.Second), b)
	}
	if err := s.Commit(b); err != nil {
		t.Fatal(err)
	}
	page, err := l.Search(Query{Text: "nowhere"})
	if err != nil || page.Next == "" {
		t.Fatalf("next %q, %v: the search looked at every block", page.Next, err)
	}
	again, err := l.Search(Query{Text: "nowhere", Cursor: page.Next})
	if err != nil || again.Next >= page.Next {
		t.Errorf("next %q after %q, %v: the search does not go on", again.Next, page.Next, err)
	}
}
