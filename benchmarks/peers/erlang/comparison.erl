%% Erlang: processes and messages. Arguments after -extra: CASE SECONDS CPU_A CPU_B [FILE]; prints
%% "value NUMBER", in the unit of the workload. "placed": processes on schedulers of their own.
-module(comparison).
-export([main/0]).

main() ->
    case init:get_plain_arguments() of
        ["version"] ->
            io:format("version OTP ~s~n", [erlang:system_info(otp_release)]);
        [Case, Seconds | Rest] ->
            File = case Rest of [_, _, Name] -> Name; _ -> "" end,
            io:format("value ~p~n", [run(Case, number(Seconds), File)])
    end,
    halt(0).

number(Text) ->
    case string:to_float(Text) of
        {error, _} -> float(list_to_integer(Text));
        {Number, _} -> Number
    end.

run("w1", Seconds, _) -> round_trip(Seconds, fun(_) -> [] end);
run("w1_placed", Seconds, _) -> round_trip(Seconds, fun(N) -> [{scheduler, N}] end);
run("w2", Seconds, _) -> throughput(Seconds, 1);
run("w3", Seconds, _) -> throughput(Seconds, 4);
run("w4", Seconds, _) -> spawned(Seconds);
run("w5", _, File) -> hand_over(File);
run("w6", _, _) -> idle().

%% Seconds for each of the operations of Run(Count), with more of them until they last long enough.
seconds_each(Seconds, Run) -> seconds_each(Seconds, Run, 64).
seconds_each(Seconds, Run, Count) ->
    Elapsed = Run(Count),
    case Elapsed >= 0.5 * Seconds of
        true -> Elapsed / Count;
        false ->
            Wanted = min(16.0, max(2.0, Seconds / max(Elapsed, 1.0e-9))),
            seconds_each(Seconds, Run, (trunc(Count * Wanted) + 63) div 64 * 64)
    end.

now_seconds() -> erlang:monotonic_time(nanosecond) / 1.0e9.

%% Runs Work in a process with these options; its result.
in_process(Work, Options) ->
    Self = self(),
    Pid = spawn_opt(fun() -> Self ! {self(), Work()} end, Options),
    receive {Pid, Result} -> Result end.

round_trip(Seconds, Options) ->
    1.0e9 * seconds_each(Seconds, fun(Count) ->
        Pong = spawn_opt(fun() -> pong(Count) end, Options(2)),
        in_process(fun() ->
            Message = binary:copy(<<7>>, 64),
            Start = now_seconds(),
            ping(Pong, Message, Count),
            now_seconds() - Start
        end, Options(1))
    end).

ping(_, _, 0) -> ok;
ping(Pong, Message, Count) ->
    Pong ! {self(), Message},
    receive {Pong, Answer} -> ping(Pong, Answer, Count - 1) end.

pong(0) -> ok;
pong(Count) ->
    receive {From, Message} -> From ! {self(), Message} end,
    pong(Count - 1).

throughput(Seconds, Producers) ->
    1.0e-6 / seconds_each(Seconds, fun(Count) ->
        in_process(fun() ->
            Self = self(),
            Start = now_seconds(),
            [spawn_opt(fun() -> produce(Self, binary:copy(<<7>>, 64), Count div Producers) end,
                       [{scheduler, 1}]) || _ <- lists:seq(1, Producers)],
            consume(Count),
            now_seconds() - Start
        end, [{scheduler, 2}])
    end).

%% Each ten thousand messages wait for an answer: mailboxes are not bounded.
produce(_, _, 0) -> ok;
produce(To, Message, Count) when Count rem 10000 =:= 0 ->
    To ! {self(), Message},
    receive ok -> produce(To, Message, Count - 1) end;
produce(To, Message, Count) ->
    To ! Message,
    produce(To, Message, Count - 1).

consume(0) -> ok;
consume(Count) ->
    receive
        {From, _} -> From ! ok;
        _ -> ok
    end,
    consume(Count - 1).

spawned(Seconds) ->
    1.0e6 * seconds_each(Seconds, fun(Count) ->
        Start = now_seconds(),
        spawn_each(Count),
        now_seconds() - Start
    end).

spawn_each(0) -> ok;
spawn_each(Count) ->
    Self = self(),
    spawn(fun() -> Self ! 7 end),
    receive 7 -> spawn_each(Count - 1) end.

%% As many records as the file has lines, of the same shape: there is no parser of JSON.
hand_over(File) ->
    {ok, Text} = file:read_file(File),
    Records = length(binary:matches(Text, <<"\n">>)) - 2,
    Self = self(),
    spawn(fun() ->
        Document = [record(I) || I <- lists:seq(1, Records)],
        Start = now_seconds(),
        Self ! {Start, Document}
    end),
    receive {Start, [_ | _]} -> 1.0e6 * (now_seconds() - Start) end.

record(I) ->
    Name = list_to_binary(io_lib:format("record ~10..0B", [I])),
    #{<<"id">> => I, <<"name">> => Name,
      <<"tags">> => [binary:copy(<<"a">>), binary:copy(<<"bc">>), binary:copy(<<"def">>)],
      <<"position">> => #{<<"x">> => I / 4, <<"y">> => I / 2},
      <<"text">> => binary:copy(<<"a line of text in the record">>)}.

idle() ->
    Count = 100000,
    Self = self(),
    Before = resident(),
    [spawn(fun() -> Self ! ready, receive never -> ok end end) || _ <- lists:seq(1, Count)],
    [receive ready -> ok end || _ <- lists:seq(1, Count)],
    (resident() - Before) / Count.

resident() ->
    {ok, Text} = file:read_file("/proc/self/statm"),
    [_, Pages | _] = string:lexemes(binary_to_list(Text), " "),
    list_to_integer(Pages) * 4096.
