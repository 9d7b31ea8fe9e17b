package admin

import (
	"encoding/json"
	"fmt"
	"net/netip"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"octopus/codec/llm"
	"octopus/gateway/outcome"
)

func TestARowIsWhatHappened(t *testing.T) {
	o := failedOver("req_1")
	o.Client = netip.MustParseAddr("10.1.2.3")
	o.Start = time.Date(2026, 11, 23, 12, 0, 0, 123456789, time.FixedZone("", 3600))
	p := recorded(t, Options{}, o)
	_, body := p.call(t, "GET", "/api/v1/logs/req_1", "")
	want := strings.ReplaceAll(`{"id":"req_1","started_at":"2026-11-23T11:00:00.123456Z","protocol":"openai-chat","operation":"generate","stream":true,
"requested_model":"fast","group":"fast","group_id":"g1","api_key_id":"p1","api_key_name":"ci","client":"10.1.2.3","status":200,"class":"none",
"message":"","attempts":[{"channel":"north","channel_id":"c1","key_id":"k1","model":"m-1","start_ms":0,"duration_ms":100,"first_token_ms":null,
"status":429,"class":"rate_limited","verdict":"try_next","message":"Slow down.",
"why":"mode","skipped":[],"cost_nano_usd":null,"lost_input_tokens":null},{"channel":"south","channel_id":"c2","key_id":"k2",
"model":"m-2","start_ms":100,"duration_ms":1900,"first_token_ms":200,"status":200,"class":"none","verdict":"commit","message":"","why":"default","skipped":[{"channel":"north",
"model":"m-1","key_id":"k1","class":"rate_limited","until_ms":5000}],"cost_nano_usd":700,"lost_input_tokens":null}],"skipped":[],
"first_token_ms":300,"total_ms":2000,"usage":{"input_tokens":10,"cache_read_tokens":20,"cache_write_5m_tokens":3,"cache_write_1h_tokens":4,
"output_tokens":50,"reasoning_tokens":5,"input_audio_tokens":0,"output_audio_tokens":0,"web_searches":0,"service":"standard"},"usage_known":"reported",
"cost_nano_usd":700,"warnings":{"dropped":["seed","top_k"],"approximated":["reasoning_effort"]},"bytes_in":11,"bytes_out":22,
"request_body":null,"response_body":null}`, "\n", "")
	if body != want {
		t.Errorf("got  %s\nwant %s", body, want)
	}
}

func TestBodiesAreShownWhereTheyAreKept(t *testing.T) {
	o := refusedRequest("req_1")
	o.RequestBody, o.ResponseBody = []byte(`{"model":"m"}`), []byte("data: \xff\n\n")
	p := recorded(t, Options{}, o)
	var got struct {
		RequestBody  string `json:"request_body"`
		ResponseBody string `json:"response_body"`
	}
	if p.ask(t, "/api/v1/logs/req_1", &got); got.RequestBody != `{"model":"m"}` || got.ResponseBody != "data: \uFFFD\n\n" {
		t.Errorf("got %q", got)
	}
	if _, body := p.call(t, "GET", "/api/v1/logs", ""); strings.Contains(body, "_body") {
		t.Errorf("the list has bodies: %s", body)
	}
}

func TestWhatIsUnknownIsNull(t *testing.T) {
	p := recorded(t, Options{}, refusedRequest("req_1"))
	var got map[string]any
	p.ask(t, "/api/v1/logs/req_1", &got)
	for _, field := range []string{"group", "group_id", "api_key_id", "api_key_name", "client", "first_token_ms", "cost_nano_usd"} {
		if value, there := got[field]; !there || value != nil {
			t.Errorf("%s is %v", field, value)
		}
	}
	if attempts, ok := got["attempts"].([]any); !ok || len(attempts) != 0 {
		t.Errorf("attempts are %v", got["attempts"])
	}
}

// A field that is added to outcomes must be shown.
func TestEveryFieldOfAnOutcomeIsShown(t *testing.T) {
	var o outcome.Outcome
	o.Attempts = make([]outcome.Attempt, 1)
	o.CostKnown, o.Attempts[0].CostKnown = true, true
	o.Skipped, o.Attempts[0].Skipped = make([]outcome.Skip, 1), make([]outcome.Skip, 1)
	var check func(path string, v reflect.Value)
	check = func(path string, v reflect.Value) {
		for i := range v.NumField() {
			f, name := v.Field(i), path+v.Type().Field(i).Name
			if strings.HasPrefix(name, "Attempts.Usage.") && name != "Attempts.Usage.Input" {
				continue // the log keeps no more of an attempt that lost
			}
			before := f.Interface()
			switch value := before.(type) {
			case string:
				f.SetString("dropped=x")
			case time.Time:
				f.Set(reflect.ValueOf(time.Unix(1, 0)))
			case netip.Addr:
				f.Set(reflect.ValueOf(netip.IPv6Loopback()))
			case []outcome.Attempt, []outcome.Skip:
				check(name+".", f.Index(0))
				continue
			case []byte:
				continue // bodies are kept beside the row
			case llm.Usage:
				check(name+".", f)
				continue
			case bool:
				f.SetBool(!value)
			default:
				switch f.Kind() {
				case reflect.Int, reflect.Int64:
					f.SetInt(int64(time.Second))
				case reflect.Uint8:
					f.SetUint(1)
				default:
					t.Fatalf("%s is a %s; say here how to fill it", name, f.Type())
				}
			}
			filled := jsonOf(t, rowOf(&o))
			f.Set(reflect.ValueOf(before))
			if filled == jsonOf(t, rowOf(&o)) {
				t.Errorf("%s is not shown", name)
			}
		}
	}
	check("", reflect.ValueOf(&o).Elem())
}

func TestSearchFindsByEveryCondition(t *testing.T) {
	p := recorded(t, Options{}, failedOver("req_1"), refusedRequest("req_2"), failedOver("req_3"))
	future := time.Now().Add(time.Hour).UTC().Format(time.RFC3339)
	for query, want := range map[string]string{
		"":                         "req_3 req_2 req_1",
		"?failed=true":             "req_2",
		"?failed=false":            "req_3 req_2 req_1",
		"?status=401":              "req_2",
		"?status=2xx":              "req_3 req_1",
		"?status=5xx":              "",
		"?class=refused":           "req_2",
		"?class=none":              "req_3 req_1",
		"?group=fast":              "req_3 req_1",
		"?group=g1&status=401":     "",
		"?channel=north":           "req_3 req_1",
		"?channel=c2":              "req_3 req_1",
		"?model=m-1":               "req_3 req_1",
		"?model=fast":              "req_3 req_1",
		"?api_key=ci":              "req_3 req_1",
		"?api_key=p1":              "req_3 req_1",
		"?text=NO+SUCH":            "req_2",
		"?text=slow%20down":        "req_3 req_1",
		"?text=req_1":              "req_1",
		"?from=" + future:          "",
		"?to=" + future:            "req_3 req_2 req_1",
		"?to=2020-01-01T00:00:00Z": "",
	} {
		var got list[row]
		if p.ask(t, "/api/v1/logs"+query, &got); ids(got) != want {
			t.Errorf("%q: got %q, want %q", query, ids(got), want)
		}
	}
}

func jsonOf(t *testing.T, value any) string {
	t.Helper()
	text, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func ids(of list[row]) string {
	var ids []string
	for _, r := range of.Items {
		ids = append(ids, r.ID)
	}
	return strings.Join(ids, " ")
}

func TestPagesOfTheLogAreTheWholeLog(t *testing.T) {
	var outcomes []*outcome.Outcome
	var want []string
	for i := range 7 {
		outcomes = append(outcomes, refusedRequest(fmt.Sprint("req_", i)))
		want = append(want, fmt.Sprint("req_", i))
	}
	slices.Reverse(want)
	p := recorded(t, Options{}, outcomes...)
	var all []string
	for cursor := ""; ; {
		var got list[row]
		p.ask(t, "/api/v1/logs?limit=3&cursor="+cursor, &got)
		if len(got.Items) > 3 {
			t.Fatalf("a page of %d", len(got.Items))
		}
		if text := ids(got); text != "" {
			all = append(all, strings.Fields(text)...)
		}
		if got.NextCursor == nil {
			break
		}
		cursor = *got.NextCursor
	}
	if !slices.Equal(all, want) {
		t.Errorf("got %v, want %v", all, want)
	}
}

func TestARequestThatTheLogHasNot(t *testing.T) {
	p := recorded(t, Options{}, refusedRequest("req_1"))
	for _, id := range []string{"req_2", "%%%", "a%2Fb", "stream2"} {
		response, body := p.call(t, "GET", "/api/v1/logs/"+id, "")
		checkError(t, response, body, 404, "not_found")
	}
}
