package requestlog

import (
	"encoding/binary"

	"octopus/admin/store"
)

// blockBytes is how long a block becomes before another one begins.
const blockBytes = 64 << 10

// block is some rows that were written together, as they are stored: each behind its length, under the number of the first.
// Hundreds of rows in one value cost the database a fraction of what they would cost alone, and a page of the log reads one or
// two of them. The index has one entry for each block: the smallest id in it is part of the key, the largest one of the value.
type block struct {
	first       uint64
	rows        int
	records     []byte
	least, most []byte // ids
}

// add adds a record.
func (k *block) add(record []byte) {
	k.records = append(binary.AppendUvarint(k.records, uint64(len(record))), record...)
	k.rows++
	id := idOf(record)
	if k.rows == 1 || string(id) < string(k.least) {
		k.least = append(k.least[:0], id...)
	}
	if string(id) > string(k.most) {
		k.most = append(k.most[:0], id...)
	}
}

// put puts the block into the batch, if there is anything in it, and begins another one behind it.
func (k *block) put(b *store.Batch) {
	if k.rows == 0 {
		return
	}
	var key, value [128]byte
	b.Set(blockKey(key[:0], k.first), k.records)
	b.Set(indexKey(key[:0], dayOf(k.first), k.least), append(binary.BigEndian.AppendUint64(value[:0], k.first), k.most...))
	k.first += uint64(k.rows)
	k.rows, k.records, k.least, k.most = 0, k.records[:0], k.least[:0], k.most[:0]
}

func blockKey(dst []byte, first uint64) []byte {
	return binary.BigEndian.AppendUint64(store.SpaceLedger.Key(dst), first)
}

// indexKey returns the key under which a block is found: the day on which it was written, so that a day is one range, and the
// smallest id in it. Ids of a process grow, so that most blocks have nothing to do with most ids.
func indexKey(dst []byte, day uint32, id []byte) []byte {
	return append(binary.BigEndian.AppendUint32(store.SpaceLedgerIndex.Key(dst), day), id...)
}

// numberOf returns the number in a block's key, 0 of anything else.
func numberOf(key []byte) uint64 {
	if len(key) != 9 {
		return 0
	}
	return binary.BigEndian.Uint64(key[1:])
}

// splitBlock appends the records of a stored block to dst. They alias it.
func splitBlock(dst [][]byte, stored []byte) ([][]byte, error) {
	for len(stored) > 0 {
		size, n := binary.Uvarint(stored)
		if n <= 0 || size > uint64(len(stored)-n) {
			return dst, errRow
		}
		dst = append(dst, stored[n:n+int(size)])
		stored = stored[n+int(size):]
	}
	return dst, nil
}

// idOf returns the id in a record, which stands first, or nil.
func idOf(record []byte) (id []byte) {
	const tag = rowID<<3 | 2
	if len(record) > 2 && record[0] == tag && record[1] < 0x80 && len(record) >= 2+int(record[1]) {
		return record[2 : 2+record[1]]
	}
	return nil
}
