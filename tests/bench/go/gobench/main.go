// gobench is a part of leash: it measures what the Go runtime does, so that
// leash has numbers to be held against. Every workload prints lines of
//
//	name value unit
//
// Usage: gobench [-procs N] [-scale F] workload...
//
// Run one workload per process (leash_bench compare and run.sh do): parked_mem
// and the profile_* workloads read this process's memory and are disturbed by
// leftovers. The other side of every workload is in ../../*_workloads.cc, under
// the same name.
package main

import (
	"bytes"
	"flag"
	"fmt"
	"io"
	"math"
	"net"
	"os"
	"runtime"
	"runtime/pprof"
	"sort"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

var (
	procs = flag.Int("procs", 2, "GOMAXPROCS")
	scale = flag.Float64("scale", 1, "multiply operation counts (for smoke runs)")

	version = flag.Bool("version", false, "print Go's version and stop")
)

func main() {
	flag.Parse()
	if *version {
		fmt.Println(runtime.Version())
		return
	}
	table := map[string]func(){
		"spawn_join":          spawnJoin,
		"spawn_join_batch100": spawnJoinBatch100,
		"pingpong":            pingpong,
		"yield":               yield,
		"chan_buffered":       chanBuffered,
		"mpmc_unbuf":          func() { mpmc("mpmc_unbuf", 0) },
		"mpmc_buf64":          func() { mpmc("mpmc_buf64", 64) },
		"select4":             select4,
		"mutex":               mutexContended,
		"skynet":              skynet,
		"parked_mem":          func() { parkedMem("parked_mem/100k", 100_000) },
		"parked_mem_1m":       func() { parkedMem("parked_mem/1m", 1_000_000) },
		// The size of a stack is nothing that Go lets choose: the same as the two above.
		"parked_mem_64k":      func() { parkedMem("parked_mem_64k/100k", 100_000) },
		"parked_mem_64k_1m":   func() { parkedMem("parked_mem_64k/1m", 1_000_000) },
		"timers":              timers,
		"profile_debug1_10k":  func() { profile("profile_debug1", "10k", 10_000, writeProfile(1)) },
		"profile_debug1_100k": func() { profile("profile_debug1", "100k", 100_000, writeProfile(1)) },
		"profile_debug1_1m":   func() { profile("profile_debug1", "1m", 1_000_000, writeProfile(1)) },
		"profile_debug2_10k":  func() { profile("profile_debug2", "10k", 10_000, writeProfile(2)) },
		"profile_debug2_100k": func() { profile("profile_debug2", "100k", 100_000, writeProfile(2)) },
		"profile_debug2_1m":   func() { profile("profile_debug2", "1m", 1_000_000, writeProfile(2)) },
		"profile_proto_10k":   func() { profile("profile_proto", "10k", 10_000, writeProfile(0)) },
		"profile_proto_100k":  func() { profile("profile_proto", "100k", 100_000, writeProfile(0)) },
		"profile_proto_1m":    func() { profile("profile_proto", "1m", 1_000_000, writeProfile(0)) },
		"echo":                echo,
		"race_slowdown":       raceSlowdown,
	}
	if flag.NArg() == 0 {
		names := make([]string, 0, len(table))
		for name := range table {
			names = append(names, name)
		}
		sort.Strings(names)
		for _, name := range names {
			fmt.Println(name)
		}
		return
	}
	runtime.GOMAXPROCS(*procs)
	// What the runtime does at its start is no operation's cost: leash's side
	// waits as long.
	time.Sleep(50 * time.Millisecond)
	for _, name := range flag.Args() {
		run, ok := table[name]
		if !ok {
			fmt.Fprintln(os.Stderr, "gobench: no workload named", name)
			os.Exit(2)
		}
		run()
	}
}

func scaled(n int) int {
	return atLeast1(int(math.Round(float64(n) * *scale)))
}

func atLeast1(n int) int {
	if n < 1 {
		return 1
	}
	return n
}

func report(name string, value float64, unit string) {
	fmt.Printf("%s %s %s\n", name, strconv.FormatFloat(value, 'f', 3, 64), unit)
}

func perOp(d time.Duration, ops int) float64 { return float64(d.Nanoseconds()) / float64(ops) }

// stopwatch holds wall and processor time. On a machine that others use too,
// the processor time is the steadier of the two.
type stopwatch struct{ wall, cpu time.Duration }

func cpuTime() time.Duration {
	var u syscall.Rusage
	check(syscall.Getrusage(syscall.RUSAGE_SELF, &u))
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

func begin() func() stopwatch {
	cpu, wall := cpuTime(), time.Now()
	return func() stopwatch { return stopwatch{time.Since(wall), cpuTime() - cpu} }
}

// reportPerOp prints nanoseconds per operation: wall, then processor time.
func reportPerOp(name string, w stopwatch, ops int, what string) {
	report(name, perOp(w.wall, ops), "ns/"+what)
	report(name+"/cpu", perOp(w.cpu, ops), "cpu-ns/"+what)
}

func reportMillis(name string, w stopwatch) {
	report(name, float64(w.wall.Microseconds())/1000, "ms")
	report(name+"/cpu", float64(w.cpu.Microseconds())/1000, "cpu-ms")
}

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "gobench:", err)
		os.Exit(1)
	}
}

// ---- spawning -------------------------------------------------------------

func spawnJoin() {
	n := scaled(1_000_000)
	var wg sync.WaitGroup
	lap := begin()
	for i := 0; i < n; i++ {
		wg.Add(1)
		go func() { wg.Done() }()
	}
	wg.Wait()
	reportPerOp("spawn_join", lap(), n, "goroutine")
}

func spawnJoinBatch100() {
	const wave = 100
	waves := atLeast1(scaled(1_000_000) / wave)
	lap := begin()
	for w := 0; w < waves; w++ {
		var wg sync.WaitGroup
		for i := 0; i < wave; i++ {
			wg.Add(1)
			go func() { wg.Done() }()
		}
		wg.Wait()
	}
	reportPerOp("spawn_join_batch100", lap(), waves*wave, "goroutine")
}

// ---- switching ------------------------------------------------------------

func pingpong() {
	n := scaled(1_000_000)
	there, back := make(chan int), make(chan int)
	go func() {
		for v := range there {
			back <- v
		}
	}()
	lap := begin()
	for i := 0; i < n; i++ {
		there <- i
		<-back
	}
	d := lap()
	close(there)
	reportPerOp("pingpong", d, n, "roundtrip")
}

func yield() {
	n := scaled(5_000_000)
	var wg sync.WaitGroup
	wg.Add(2)
	loop := func() {
		for i := 0; i < n; i++ {
			runtime.Gosched()
		}
		wg.Done()
	}
	lap := begin()
	go loop()
	go loop()
	wg.Wait()
	reportPerOp("yield", lap(), 2*n, "switch")
}

// ---- channels -------------------------------------------------------------

func chanBuffered() {
	n := scaled(10_000_000)
	ch := make(chan int, 128)
	lap := begin()
	go func() {
		for i := 0; i < n; i++ {
			ch <- i
		}
		close(ch)
	}()
	got := 0
	for range ch {
		got++
	}
	d := lap()
	if got != n {
		check(fmt.Errorf("chan_buffered: got %d of %d", got, n))
	}
	reportPerOp("chan_buffered", d, n, "op")
}

func mpmc(name string, capacity int) {
	const producers, consumers = 100, 100
	each := atLeast1(scaled(1_000_000) / producers)
	ch := make(chan int, capacity)
	var prod, cons sync.WaitGroup
	var total int64
	prod.Add(producers)
	cons.Add(consumers)
	lap := begin()
	for c := 0; c < consumers; c++ {
		go func() {
			var mine int64
			for range ch {
				mine++
			}
			atomic.AddInt64(&total, mine)
			cons.Done()
		}()
	}
	for p := 0; p < producers; p++ {
		go func() {
			for i := 0; i < each; i++ {
				ch <- i
			}
			prod.Done()
		}()
	}
	prod.Wait()
	close(ch)
	cons.Wait()
	d := lap()
	if total != int64(each*producers) {
		check(fmt.Errorf("%s: got %d of %d", name, total, each*producers))
	}
	reportPerOp(name, d, each*producers, "msg")
}

func select4() {
	each := atLeast1(scaled(1_000_000) / 4)
	var ch [4]chan int
	for i := range ch {
		ch[i] = make(chan int)
	}
	lap := begin()
	for i := range ch {
		c := ch[i]
		go func() {
			for k := 0; k < each; k++ {
				c <- k
			}
		}()
	}
	var seen [4]int
	for k := 0; k < 4*each; k++ {
		select {
		case <-ch[0]:
			seen[0]++
		case <-ch[1]:
			seen[1]++
		case <-ch[2]:
			seen[2]++
		case <-ch[3]:
			seen[3]++
		}
	}
	reportPerOp("select4", lap(), 4*each, "msg")
}

// ---- locks ----------------------------------------------------------------

func mutexContended() {
	const goroutines = 1000
	each := scaled(1000)
	var mu sync.Mutex
	var wg sync.WaitGroup
	counter := 0
	wg.Add(goroutines)
	lap := begin()
	for g := 0; g < goroutines; g++ {
		go func() {
			for i := 0; i < each; i++ {
				mu.Lock()
				counter++
				mu.Unlock()
			}
			wg.Done()
		}()
	}
	wg.Wait()
	d := lap()
	if counter != goroutines*each {
		check(fmt.Errorf("mutex: counter is %d", counter))
	}
	reportPerOp("mutex", d, goroutines*each, "op")
}

// ---- skynet ---------------------------------------------------------------

func skynetNode(out chan<- int64, first, size int64) {
	if size == 1 {
		out <- first
		return
	}
	in := make(chan int64)
	child := size / 10
	for i := int64(0); i < 10; i++ {
		go skynetNode(in, first+i*child, child)
	}
	var sum int64
	for i := 0; i < 10; i++ {
		sum += <-in
	}
	out <- sum
}

func skynet() {
	// A power of ten, whatever the scale.
	leaves := int64(math.Round(math.Pow(10, math.Floor(math.Log10(float64(scaled(1_000_000)))+1e-9))))
	out := make(chan int64)
	lap := begin()
	go skynetNode(out, 0, leaves)
	sum := <-out
	d := lap()
	if sum != leaves*(leaves-1)/2 {
		check(fmt.Errorf("skynet: sum is %d", sum))
	}
	reportMillis("skynet", d)
	report("skynet/peak", float64(readMemory().peak)/1e6, "MB")
}

// ---- memory of parked goroutines -------------------------------------------

// memory is the RSS, the page tables, which are held beside it, and the largest RSS so far.
type memory struct{ rss, vmpte, peak int64 }

func readMemory() (m memory) {
	b, err := os.ReadFile("/proc/self/status")
	check(err)
	for _, line := range bytes.Split(b, []byte("\n")) {
		f := bytes.Fields(line)
		if len(f) < 2 {
			continue
		}
		var into *int64
		switch string(f[0]) {
		case "VmRSS:":
			into = &m.rss
		case "VmPTE:":
			into = &m.vmpte
		case "VmHWM:":
			into = &m.peak
		default:
			continue
		}
		kib, err := strconv.ParseInt(string(f[1]), 10, 64)
		check(err)
		*into = kib * 1024
	}
	return m
}

// park starts n goroutines and returns when all of them wait, or are about to.
func park(n int, stop chan struct{}) stopwatch {
	var up int64
	lap := begin()
	for i := 0; i < n; i++ {
		go func() {
			atomic.AddInt64(&up, 1)
			<-stop
		}()
	}
	for atomic.LoadInt64(&up) < int64(n) {
		runtime.Gosched()
	}
	return lap()
}

func release(stop chan struct{}) stopwatch {
	lap := begin()
	close(stop)
	for runtime.NumGoroutine() > 1 {
		runtime.Gosched()
	}
	return lap()
}

// parkedMem makes them twice: the second time there are stacks that others have left.
func parkedMem(prefix string, full int) {
	n := scaled(full)
	runtime.GC()
	before := readMemory()
	stop := make(chan struct{})
	made := park(n, stop)
	time.Sleep(50 * time.Millisecond) // the last few reach their receive
	after := readMemory()
	report(prefix+"/rss", float64(after.rss-before.rss)/float64(n), "bytes/goroutine")
	report(prefix+"/vmpte", float64(after.vmpte-before.vmpte)/float64(n), "bytes/goroutine")
	report(prefix+"/rss+vmpte",
		float64(after.rss+after.vmpte-before.rss-before.vmpte)/float64(n), "bytes/goroutine")
	reportPerOp(prefix+"/create", made, n, "goroutine")
	reportPerOp(prefix+"/release", release(stop), n, "goroutine")

	stop = make(chan struct{})
	reportPerOp(prefix+"/create_warm", park(n, stop), n, "goroutine")
	release(stop)
}

// ---- timers ---------------------------------------------------------------

type rng uint64

func (r *rng) next() uint64 {
	x := uint64(*r)
	x ^= x << 13
	x ^= x >> 7
	x ^= x << 17
	*r = rng(x)
	return x
}

func percentile(sorted []float64, p float64) float64 {
	if len(sorted) == 0 {
		return 0
	}
	i := int(math.Ceil(p*float64(len(sorted)))) - 1
	if i < 0 {
		i = 0
	}
	return sorted[i]
}

func timers() {
	n := scaled(100_000)
	late := make([]float64, n)
	r := rng(0x9e3779b97f4a7c15)
	var wg sync.WaitGroup
	wg.Add(n)
	for i := 0; i < n; i++ {
		d := time.Duration(r.next() % uint64(100*time.Millisecond))
		i := i
		go func() {
			begin := time.Now()
			time.Sleep(d)
			late[i] = float64(time.Since(begin)-d) / 1000
			wg.Done()
		}()
	}
	wg.Wait()
	sort.Float64s(late)
	report("timers/p50", percentile(late, 0.50), "us")
	report("timers/p99", percentile(late, 0.99), "us")
	report("timers/max", late[n-1], "us")
}

// ---- goroutine profiles ----------------------------------------------------

// Ten functions, so that a profile groups the parked goroutines in ten.
//
//go:noinline
func site0(c chan struct{}) { <-c }

//go:noinline
func site1(c chan struct{}) { <-c }

//go:noinline
func site2(c chan struct{}) { <-c }

//go:noinline
func site3(c chan struct{}) { <-c }

//go:noinline
func site4(c chan struct{}) { <-c }

//go:noinline
func site5(c chan struct{}) { <-c }

//go:noinline
func site6(c chan struct{}) { <-c }

//go:noinline
func site7(c chan struct{}) { <-c }

//go:noinline
func site8(c chan struct{}) { <-c }

//go:noinline
func site9(c chan struct{}) { <-c }

// counter keeps the last write without a copy: debug=2 writes once, and does not touch the text again.
type counter struct {
	n    int64
	last []byte
}

func (c *counter) Write(p []byte) (int, error) {
	c.n += int64(len(p))
	c.last = p
	return len(p), nil
}

func writeProfile(debug int) func(io.Writer) error {
	return func(w io.Writer) error { return pprof.Lookup("goroutine").WriteTo(w, debug) }
}

// maxGap runs f while another goroutine ticks every 100us, and returns how
// long f took and the longest time between two ticks.
func maxGap(f func()) (took stopwatch, gap time.Duration) {
	var stop int32
	ready, done := make(chan struct{}), make(chan time.Duration)
	go func() {
		var longest time.Duration
		last := time.Now()
		close(ready)
		for atomic.LoadInt32(&stop) == 0 {
			time.Sleep(100 * time.Microsecond)
			now := time.Now()
			if g := now.Sub(last); g > longest {
				longest = g
			}
			last = now
		}
		done <- longest
	}()
	<-ready
	time.Sleep(5 * time.Millisecond)
	lap := begin()
	f()
	took = lap()
	atomic.StoreInt32(&stop, 1)
	return took, <-done
}

func profile(name, label string, full int, write func(io.Writer) error) {
	n := scaled(full)
	sites := [10]func(chan struct{}){site0, site1, site2, site3, site4, site5, site6, site7, site8, site9}
	stop := make(chan struct{})
	var up int64
	for i := 0; i < n; i++ {
		f := sites[i%10]
		go func() {
			atomic.AddInt64(&up, 1)
			f(stop)
		}()
	}
	for atomic.LoadInt64(&up) < int64(n) {
		runtime.Gosched()
	}
	runtime.GC()
	time.Sleep(50 * time.Millisecond)

	var out counter
	took, gap := maxGap(func() { check(write(&out)) })
	_, idle := maxGap(func() { time.Sleep(took.wall) })
	prefix := name + "/" + label
	reportMillis(prefix+"/time", took)
	report(prefix+"/stall", float64(gap.Nanoseconds())/1000, "us")
	report(prefix+"/stall_idle", float64(idle.Nanoseconds())/1000, "us")
	report(prefix+"/size", float64(out.n), "bytes")
	if name == "profile_debug2" {
		// Is everybody in it? The first line is the caller's own.
		headers := bytes.Count(out.last, []byte("\ngoroutine "))
		report(prefix+"/complete", math.Min(100, 100*float64(headers)/float64(n)), "percent")
	}
	close(stop)
}

// ---- network --------------------------------------------------------------

func echo() {
	const conns, size = 64, 64
	window := time.Duration(float64(3*time.Second) * math.Min(1, *scale))
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	check(err)
	go func() {
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				var buf [size]byte
				for {
					if _, err := io.ReadFull(c, buf[:]); err != nil {
						return
					}
					if _, err := c.Write(buf[:]); err != nil {
						return
					}
				}
			}()
		}
	}()
	var stop int32
	var total int64
	var wg sync.WaitGroup
	clients := make([]net.Conn, conns)
	for i := range clients {
		clients[i], err = net.Dial("tcp", ln.Addr().String())
		check(err)
	}
	wg.Add(conns)
	lap := begin()
	for _, c := range clients {
		c := c
		go func() {
			defer wg.Done()
			var buf [size]byte
			var mine int64
			for atomic.LoadInt32(&stop) == 0 {
				if _, err := c.Write(buf[:]); err != nil {
					break
				}
				if _, err := io.ReadFull(c, buf[:]); err != nil {
					break
				}
				mine++
			}
			atomic.AddInt64(&total, mine)
		}()
	}
	time.Sleep(window)
	atomic.StoreInt32(&stop, 1)
	wg.Wait()
	d := lap()
	ln.Close()
	report("echo", float64(total)/d.wall.Seconds(), "roundtrips/s")
	report("echo/cpu", perOp(d.cpu, int(total)), "cpu-ns/roundtrip")
}

// ---- race detector cost ----------------------------------------------------

// raceSlowdown is a pipeline: one stage makes keys, four workers hash them and
// count into a map under a mutex, and pass them on to one that sums. run.sh
// builds it with and without -race and divides.
func raceSlowdown() {
	n := scaled(400_000)
	keys := make(chan uint64, 64)
	sums := make(chan uint64, 64)
	var mu sync.Mutex
	count := make(map[uint64]int)
	var workers sync.WaitGroup
	lap := begin()
	go func() {
		r := rng(88172645463325252)
		for i := 0; i < n; i++ {
			keys <- r.next()
		}
		close(keys)
	}()
	workers.Add(4)
	for w := 0; w < 4; w++ {
		go func() {
			defer workers.Done()
			var block [64]uint64
			for k := range keys {
				for i := range block {
					block[i] = k + uint64(i)
				}
				h := uint64(14695981039346656037)
				for _, b := range block {
					h = (h ^ b) * 1099511628211
				}
				mu.Lock()
				count[h%4096]++
				mu.Unlock()
				sums <- h
			}
		}()
	}
	go func() { workers.Wait(); close(sums) }()
	var total uint64
	for s := range sums {
		total += s
	}
	d := lap()
	if total == 0 || len(count) == 0 {
		check(fmt.Errorf("race_slowdown: nothing counted"))
	}
	reportMillis("race_slowdown", d)
}
