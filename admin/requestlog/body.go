package requestlog

import (
	"encoding/binary"
	"fmt"

	"google.golang.org/protobuf/encoding/protowire"

	"octopus/admin/store"
	"octopus/codec"
)

const (
	// maxBodies is how many bytes of bodies a buffer holds. Rows are kept without their bodies when there is no more room.
	maxBodies = 4 << 20
	// minPayload is the length from which a run of base64 is left out of a body: an image, a sound, a signature.
	minPayload = 256
)

// Bodies are what a client sent and got, as far as it was kept: without payloads in base64 and without what looks like a key.
type Bodies struct {
	Request, Response []byte
}

// The numbers of the fields of bodies.
const (
	bodyRequest = iota + 1
	bodyResponse
)

// addBodies keeps bodies for the row that was added last.
func (b *Buffer) addBodies(request, response []byte) {
	if len(request)+len(response) == 0 || len(b.bodies)+len(request)+len(response) > maxBodies {
		return
	}
	start := len(b.bodies)
	b.bodies = append(append(b.bodies, request...), response...)
	b.bodied = append(b.bodied, bodiedRow{row: len(b.ends) - 1, start: start, response: start + len(request), end: len(b.bodies)})
}

// bodiedRow says which bytes of a buffer's bodies belong to a row.
type bodiedRow struct{ row, start, response, end int }

// putBodies puts the bodies of a buffer's rows into the batch; first is the number of its first row.
func (b *Buffer) putBodies(batch *store.Batch, first uint64) {
	var key [16]byte
	for _, of := range b.bodied {
		var record []byte
		record = protowire.AppendTag(record, bodyRequest, protowire.BytesType)
		record = protowire.AppendBytes(record, appendElided(nil, b.bodies[of.start:of.response]))
		record = protowire.AppendTag(record, bodyResponse, protowire.BytesType)
		record = protowire.AppendBytes(record, appendElided(nil, b.bodies[of.response:of.end]))
		batch.Set(bodyKey(key[:0], first+uint64(of.row)), record)
	}
}

func bodyKey(dst []byte, number uint64) []byte {
	return binary.BigEndian.AppendUint64(store.SpaceBodies.Key(dst), number)
}

// Bodies returns the bodies of a row, empty when they were not kept.
func (l *Log) Bodies(number uint64) (Bodies, error) {
	var bodies Bodies
	record, ok, err := l.store.Get(nil, bodyKey(nil, number))
	if err != nil || !ok {
		return bodies, err
	}
	err = fields(record, func(protowire.Number, int64) {}, func(field protowire.Number, text []byte) error {
		switch field {
		case bodyRequest:
			bodies.Request = text
		case bodyResponse:
			bodies.Response = text
		}
		return nil
	})
	if err != nil {
		return Bodies{}, fmt.Errorf("%w: bodies of number %d", err, number)
	}
	return bodies, nil
}

// appendElided appends a body without payloads and keys.
func appendElided(dst, body []byte) []byte {
	for len(body) > 0 {
		run := 0
		for run < len(body) && isBase64(body[run]) {
			run++
		}
		switch {
		case run >= minPayload:
			dst = fmt.Appendf(dst, "[%d characters of base64]", run)
		case run == 0:
			for run < len(body) && !isBase64(body[run]) {
				run++
			}
			dst = append(dst, body[:run]...)
		default:
			dst = codec.AppendWithoutKeys(dst, body[:run])
		}
		body = body[run:]
	}
	return dst
}

// isBase64 reports whether c may stand in base64 of either alphabet.
func isBase64(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '+' || c == '/' || c == '=' || c == '-' || c == '_'
}
