package io.sirocco.kernel.onednn;

import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_SCRATCHPAD;

import java.util.function.Function;
import org.apache.arrow.memory.BufferAllocator;
import org.bytedeco.dnnl.engine;
import org.bytedeco.dnnl.stream;

/**
 * One thread's way into oneDNN: its team, the calls it has made, and its scratchpad. Belongs to the
 * thread that uses it first.
 */
final class Lane implements AutoCloseable {
  private final engine cpu;
  private final OpenMpTeam team;
  private final stream execution;
  private final CallCache calls = new CallCache();
  private final Scratch scratchpad;

  private record Key(Record shape, int threads) {}

  Lane(OneDnn library, OpenMpTeam team, BufferAllocator allocator) {
    this.cpu = library.cpu();
    this.team = team;
    this.execution = new stream(cpu);
    this.scratchpad = new Scratch(allocator);
  }

  /**
   * The call of that shape, made if need be, for the team that the work is worth. oneDNN keeps the
   * number of threads in what it makes: made for two and run by one, a call would still wake the
   * other.
   *
   * @param shape a record that says everything about the call but its addresses
   */
  Call call(Record shape, double secondsOfOneCore, Function<engine, Call> make) {
    int threads = team.employFor(secondsOfOneCore);
    return calls.get(new Key(shape, threads), () -> make.apply(cpu));
  }

  /** Runs the call that was asked for last, its other operands being bound. */
  void execute(Call call) {
    call.bind(DNNL_ARG_SCRATCHPAD, scratchpad.address(call.scratchpadBytes()));
    call.run(execution);
  }

  @Override
  public void close() {
    calls.close();
    scratchpad.close();
    execution.close();
  }
}
