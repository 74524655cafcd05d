// Go: channels and goroutines. "locked": goroutines locked to threads that are pinned.
//
//    peer CASE SECONDS CPU_A CPU_B [FILE]    prints "value NUMBER", in the unit of the workload
package main

import (
    "encoding/json"
    "fmt"
    "os"
    "runtime"
    "strconv"
    "strings"
    "syscall"
    "time"
    "unsafe"
)

type message struct{ words [8]uint64 }

var cpus [2]int

func pin(cpu int) {
    runtime.LockOSThread()
    var set [16]uint64
    set[cpu/64] = 1 << (uint(cpu) % 64)
    syscall.RawSyscall(syscall.SYS_SCHED_SETAFFINITY, 0, unsafe.Sizeof(set),
        uintptr(unsafe.Pointer(&set)))
}

// Seconds for each of the operations of run(count), with more of them until they last long enough.
func secondsEach(seconds float64, run func(count int) time.Duration) float64 {
    for count := 64; ; {
        elapsed := run(count).Seconds()
        if elapsed >= 0.5*seconds {
            return elapsed / float64(count)
        }
        wanted := seconds / (elapsed + 1e-9)
        if wanted < 2 {
            wanted = 2
        }
        if wanted > 16 {
            wanted = 16
        }
        count = (int(float64(count)*wanted) + 63) / 64 * 64
    }
}

func roundTrip(seconds float64, locked bool) float64 {
    return 1e9 * secondsEach(seconds, func(count int) time.Duration {
        there, back := make(chan message), make(chan message)
        result := make(chan time.Duration)
        go func() {
            if locked {
                pin(cpus[1])
            }
            for i := 0; i < count; i++ {
                m := <-there
                m.words[0]++
                back <- m
            }
        }()
        go func() {
            if locked {
                pin(cpus[0])
            }
            var m message
            start := time.Now()
            for i := 0; i < count; i++ {
                there <- m
                m = <-back
            }
            result <- time.Since(start)
        }()
        return <-result
    })
}

func throughput(seconds float64, capacity int, producers int, locked bool) float64 {
    return 1e-6 / secondsEach(seconds, func(count int) time.Duration {
        channel := make(chan message, capacity)
        result := make(chan time.Duration)
        start := time.Now()
        for p := 0; p < producers; p++ {
            go func() {
                if locked {
                    pin(cpus[0])
                }
                var m message
                for i := 0; i < count/producers; i++ {
                    m.words[0] = uint64(i)
                    channel <- m
                }
            }()
        }
        go func() {
            if locked {
                pin(cpus[1])
            }
            var sum uint64
            for i := 0; i < count; i++ {
                m := <-channel
                sum += m.words[0]
            }
            result <- time.Since(start)
        }()
        return <-result
    })
}

func spawn(seconds float64) float64 {
    return 1e6 * secondsEach(seconds, func(count int) time.Duration {
        start := time.Now()
        for i := 0; i < count; i++ {
            result := make(chan int)
            go func() { result <- 7 }()
            <-result
        }
        return time.Since(start)
    })
}

func handOver(file string) float64 {
    type parsed struct {
        document interface{}
        start    time.Time
    }
    channel := make(chan parsed)
    go func() {
        text, _ := os.ReadFile(file)
        var document interface{}
        if err := json.Unmarshal(text, &document); err != nil {
            panic(err)
        }
        channel <- parsed{document, time.Now()}
    }()
    got := <-channel
    if len(got.document.([]interface{})) == 0 {
        panic("empty")
    }
    return 1e6 * time.Since(got.start).Seconds()
}

func resident() float64 {
    text, _ := os.ReadFile("/proc/self/statm")
    pages, _ := strconv.ParseFloat(strings.Fields(string(text))[1], 64)
    return pages * float64(os.Getpagesize())
}

func idle() float64 {
    const count = 100000
    never, ready := make(chan int), make(chan int)
    before := resident()
    for i := 0; i < count; i++ {
        go func() {
            ready <- 1
            <-never
        }()
    }
    for i := 0; i < count; i++ {
        <-ready
    }
    return (resident() - before) / count
}

func main() {
    if os.Args[1] == "version" {
        fmt.Println("version", runtime.Version())
        return
    }
    seconds, _ := strconv.ParseFloat(os.Args[2], 64)
    cpus[0], _ = strconv.Atoi(os.Args[3])
    cpus[1], _ = strconv.Atoi(os.Args[4])
    var value float64
    switch os.Args[1] {
    case "w1":
        value = roundTrip(seconds, false)
    case "w1_locked":
        value = roundTrip(seconds, true)
    case "w2":
        value = throughput(seconds, 1024, 1, false)
    case "w2_locked":
        value = throughput(seconds, 1024, 1, true)
    case "w3":
        value = throughput(seconds, 1024, 4, false)
    case "w4":
        value = spawn(seconds)
    case "w5":
        value = handOver(os.Args[5])
    case "w6":
        value = idle()
    default:
        os.Exit(2)
    }
    fmt.Printf("value %.6g\n", value)
}
