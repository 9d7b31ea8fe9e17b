package gateway

import (
	"io"
	"strings"
	"testing"

	"github.com/valyala/fasthttp"
)

// roomReader is an upload that notes the most memory that it was offered at once.
type roomReader struct {
	io.Reader
	most int
}

func (r *roomReader) Read(p []byte) (int, error) {
	r.most = max(r.most, len(p))
	return r.Reader.Read(p)
}

func TestMemoryOfAnUploadGrowsWithWhatComes(t *testing.T) {
	const announced = 32 << 20
	for _, came := range []int{9 << 10, 5 << 20} {
		c := &call{gateway: &Gateway{options: Options{MaxBodySize: announced}}}
		upload := &roomReader{Reader: strings.NewReader(strings.Repeat(" ", came))}
		var ctx fasthttp.RequestCtx
		ctx.Request.Header.SetContentLength(announced)
		ctx.Request.SetBodyStream(upload, announced)
		if err := c.readBody(&ctx); err != nil || len(c.body.bytes) != came {
			t.Errorf("got %d bytes, %v; want %d", len(c.body.bytes), err, came)
		}
		if most := 2*came + 2*largestPooled; upload.most > most || cap(c.body.bytes) > most {
			t.Errorf("%d of %d bytes came and took %d, at most %d are wanted", came, announced, cap(c.body.bytes), most)
		}
		releaseBuffer(c.body)
	}
}
