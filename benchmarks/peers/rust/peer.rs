// Rust: the channels and threads of its standard library.
//
//   peer CASE SECONDS CPU_A CPU_B    prints "value NUMBER", in the unit of the workload

use std::sync::mpsc::{channel, sync_channel, Receiver, Sender, SyncSender, TryRecvError};
use std::thread;
use std::time::Instant;

type Message = [u64; 8];

extern "C" {
    fn sched_setaffinity(pid: i32, size: usize, set: *const u64) -> i32;
}

fn pin(cpu: usize) {
    let mut set = [0u64; 16];
    set[cpu / 64] = 1 << (cpu % 64);
    unsafe {
        sched_setaffinity(0, std::mem::size_of_val(&set), set.as_ptr());
    }
}

// Seconds for each of the operations of run(count), with more of them until they last long enough.
fn seconds_each(seconds: f64, run: impl Fn(u64) -> f64) -> f64 {
    let mut count = 64u64;
    loop {
        let elapsed = run(count);
        if elapsed >= 0.5 * seconds {
            return elapsed / count as f64;
        }
        let wanted = (seconds / elapsed.max(1e-9)).max(2.0).min(16.0);
        count = ((count as f64 * wanted) as u64 + 63) / 64 * 64;
    }
}

fn take(receiver: &Receiver<Message>, spins: bool) -> Message {
    if !spins {
        return receiver.recv().unwrap();
    }
    loop {
        match receiver.try_recv() {
            Ok(message) => return message,
            Err(TryRecvError::Empty) => std::hint::spin_loop(),
            Err(TryRecvError::Disconnected) => panic!("disconnected"),
        }
    }
}

fn round_trip(seconds: f64, cpus: [usize; 2], spins: bool) -> f64 {
    1e9 * seconds_each(seconds, |count| {
        let (to, there) = channel::<Message>();
        let (answer, back) = channel::<Message>();
        let other = thread::spawn(move || {
            pin(cpus[1]);
            for _ in 0..count + 1 {
                let mut message = take(&there, spins);
                message[0] += 1;
                answer.send(message).unwrap();
            }
        });
        pin(cpus[0]);
        let mut message = [0u64; 8];
        let mut start = Instant::now();
        for i in 0..count + 1 {
            to.send(message).unwrap();
            message = take(&back, spins);
            if i == 0 {
                start = Instant::now();
            }
        }
        let elapsed = start.elapsed().as_secs_f64();
        other.join().unwrap();
        elapsed
    })
}

enum Producer {
    Free(Sender<Message>),
    Bounded(SyncSender<Message>),
}

fn throughput(seconds: f64, cpus: [usize; 2], producers: u64, capacity: usize) -> f64 {
    1e-6 / seconds_each(seconds, |count| {
        let mut senders = Vec::new();
        let receiver;
        if capacity > 0 {
            let (sender, end) = sync_channel::<Message>(capacity);
            receiver = end;
            for _ in 0..producers {
                senders.push(Producer::Bounded(sender.clone()));
            }
        } else {
            let (sender, end) = channel::<Message>();
            receiver = end;
            for _ in 0..producers {
                senders.push(Producer::Free(sender.clone()));
            }
        }
        pin(cpus[1]);
        let start = Instant::now();
        let threads: Vec<_> = senders
            .into_iter()
            .map(|sender| {
                thread::spawn(move || {
                    pin(cpus[0]);
                    for i in 0..count / producers {
                        let message = [i, 0, 0, 0, 0, 0, 0, 0];
                        match &sender {
                            Producer::Free(sender) => sender.send(message).unwrap(),
                            Producer::Bounded(sender) => sender.send(message).unwrap(),
                        }
                    }
                })
            })
            .collect();
        let mut sum = 0u64;
        for _ in 0..count {
            sum += receiver.recv().unwrap()[0];
        }
        let elapsed = start.elapsed().as_secs_f64();
        for thread in threads {
            thread.join().unwrap();
        }
        let share = count / producers;
        assert_eq!(sum, producers * (share * (share - 1) / 2));
        elapsed
    })
}

fn spawn(seconds: f64) -> f64 {
    1e6 * seconds_each(seconds, |count| {
        let start = Instant::now();
        for _ in 0..count {
            assert_eq!(thread::spawn(|| 7).join().unwrap(), 7);
        }
        start.elapsed().as_secs_f64()
    })
}

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let seconds: f64 = arguments[2].parse().unwrap();
    let cpus = [arguments[3].parse().unwrap(), arguments[4].parse().unwrap()];
    let value = match arguments[1].as_str() {
        "w1_spin" => round_trip(seconds, cpus, true),
        "w1_block" => round_trip(seconds, cpus, false),
        "w2" => throughput(seconds, cpus, 1, 0),
        "w2_bounded" => throughput(seconds, cpus, 1, 4096),
        "w3" => throughput(seconds, cpus, 4, 0),
        "w3_bounded" => throughput(seconds, cpus, 4, 4096),
        "w4" => spawn(seconds),
        _ => std::process::exit(2),
    };
    println!("value {}", value);
}
