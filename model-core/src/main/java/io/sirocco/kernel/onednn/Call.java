package io.sirocco.kernel.onednn;

import static org.bytedeco.dnnl.global.dnnl.DNNL_ARG_SCRATCHPAD;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.bytedeco.dnnl.IntMemoryMap;
import org.bytedeco.dnnl.engine;
import org.bytedeco.dnnl.global.dnnl.scratchpad_mode;
import org.bytedeco.dnnl.memory;
import org.bytedeco.dnnl.primitive;
import org.bytedeco.dnnl.primitive_attr;
import org.bytedeco.dnnl.stream;
import org.bytedeco.javacpp.Pointer;

/**
 * A primitive made for fixed shapes, with a place for each of its operands. Only addresses change
 * from call to call, so a call allocates nothing.
 *
 * <p>All Java objects are kept here: JavaCPP frees what it finds unreachable, in use or not.
 */
final class Call implements AutoCloseable {
  private final primitive operation;
  private final Map<Integer, memory> operands;
  private final IntMemoryMap arguments = new IntMemoryMap();
  private final long scratchpadBytes;
  private final Address address = new Address();
  private final List<AutoCloseable> keep = new ArrayList<>();

  /** A pointer that can be pointed anywhere. Owns nothing. */
  private static final class Address extends Pointer {
    Address() {
      super((Pointer) null);
    }

    Address at(long target) {
      address = target;
      return this;
    }
  }

  private Call(primitive operation, Map<Integer, memory> operands, long scratchpadBytes) {
    this.operation = operation;
    this.operands = Map.copyOf(operands);
    this.scratchpadBytes = scratchpadBytes;
    operands.forEach(arguments::put);
  }

  /**
   * The call of a primitive that was described with {@link #attributes}.
   *
   * @param operands but for the scratchpad
   * @param keep what must live as long
   */
  static Call of(
      primitive operation,
      Map<Integer, memory> operands,
      memory.desc scratchpad,
      engine cpu,
      AutoCloseable... keep) {
    Map<Integer, memory> all = new HashMap<>(operands);
    all.put(DNNL_ARG_SCRATCHPAD, operand(scratchpad, cpu));
    Call call = new Call(operation, all, scratchpad.get_size());
    call.keep.addAll(List.of(keep));
    return call;
  }

  /** Attributes of a call whose scratchpad comes from the caller. */
  static primitive_attr attributes() {
    primitive_attr attributes = new primitive_attr();
    attributes.set_scratchpad_mode(scratchpad_mode.user);
    return attributes;
  }

  /** An operand without memory; {@link #bind} gives it some. */
  static memory operand(memory.desc layout, engine cpu) {
    return new memory(layout, cpu, (Pointer) null);
  }

  Call keeping(AutoCloseable object) {
    keep.add(object);
    return this;
  }

  /** Bytes wanted at {@code DNNL_ARG_SCRATCHPAD}; 0 if none. */
  long scratchpadBytes() {
    return scratchpadBytes;
  }

  Call bind(int argument, long target) {
    operands.get(argument).set_data_handle(address.at(target));
    return this;
  }

  void run(stream execution) {
    operation.execute(execution, arguments);
    execution._wait();
  }

  @Override
  public void close() {
    arguments.close();
    operands.values().forEach(memory::close);
    operation.close();
    for (AutoCloseable object : keep) {
      try {
        object.close();
      } catch (Exception e) {
        throw new IllegalStateException("JavaCPP object did not close", e);
      }
    }
  }
}
