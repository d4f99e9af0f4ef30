package io.sirocco.checkpoint;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.Deque;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Reads pickles of tensors as data. A pickle is a program for a stack machine; of its instructions
 * those that build texts, numbers, tuples, lists and dictionaries are followed, and of the calls
 * that it asks for, three are known: an ordered dictionary, a tensor that is a view of a storage,
 * and a parameter, which is such a tensor. Anything else is refused by name. No class is looked up,
 * and nothing is called.
 *
 * @see <a href="https://docs.python.org/3/library/pickletools.html">the instructions</a>
 */
final class Unpickler {
  private static final int MAX_PROTOCOL = 5;

  /** A hundred times what the largest published Mistral needs: each may make an object. */
  private static final int MAX_INSTRUCTIONS = 2_000_000;

  private static final int MAX_NAME = 256;
  private static final int MAX_DIMENSIONS = 8;

  /** Calls of Python that are known, by what they make. */
  private static final Map<String, Call> CALLS =
      Map.of(
          "collections.OrderedDict", Call.DICTIONARY,
          "torch._utils._rebuild_tensor_v2", Call.VIEW,
          "torch._utils._rebuild_parameter", Call.PARAMETER);

  private static final String STORAGE = "storage";

  private final String where;
  private final ByteBuffer pickle;
  private final Deque<Object> stack = new ArrayDeque<>();
  private final Map<Integer, Object> memo = new HashMap<>();
  private int at;

  /** What a pickle may hold besides texts, numbers and truth values. */
  private enum Special {
    NONE,
    MARK
  }

  private enum Call {
    DICTIONARY,
    VIEW,
    PARAMETER
  }

  /** A name that a pickle wants to be looked up. */
  private record Global(String name) {}

  private record Sequence(List<Object> values) {
    Object at(int index) {
      return index < values.size() ? values.get(index) : Special.NONE;
    }

    @Override
    public String toString() {
      return "a sequence";
    }
  }

  private record Dictionary(Map<String, Object> entries) {
    @Override
    public String toString() {
      return "a dictionary";
    }
  }

  /**
   * Numbers that lie in a file of their own.
   *
   * @param type such as {@code torch.FloatStorage}
   * @param key of the file
   * @param elements how many
   */
  record Storage(String type, String key, long elements) {}

  /**
   * A tensor.
   *
   * @param offset of its first element in the storage
   * @param strides elements from one index of a dimension to the next
   */
  record View(Storage storage, long offset, List<Long> shape, List<Long> strides) {}

  private Unpickler(String where, byte[] pickle) {
    this.where = where;
    this.pickle = ByteBuffer.wrap(pickle).order(ByteOrder.LITTLE_ENDIAN);
  }

  /**
   * The tensors of a state dictionary, by name, in its order.
   *
   * @throws ModelException if it is something else
   */
  static Map<String, View> tensors(String where, byte[] pickle) {
    return new Unpickler(where, pickle).run();
  }

  private Map<String, View> run() {
    for (int done = 0; done < MAX_INSTRUCTIONS; done++) {
      at = pickle.position();
      int instruction = number(1);
      if (instruction == '.') {
        return tensors(pop());
      }
      follow(instruction);
    }
    throw refused("more than " + MAX_INSTRUCTIONS + " instructions");
  }

  private Map<String, View> tensors(Object root) {
    if (!(root instanceof Dictionary dictionary)) {
      throw refused("the pickle is " + root + ", expected a dictionary of tensors");
    }
    Map<String, View> tensors = new LinkedHashMap<>();
    dictionary
        .entries()
        .forEach(
            (name, value) -> {
              if (!(value instanceof View view)) {
                throw refused("'" + name + "' is " + value + ", expected a tensor");
              }
              tensors.put(name, view);
            });
    return tensors;
  }

  private void follow(int instruction) {
    switch (instruction) {
      case 0x80 -> requireProtocol(number(1)); // PROTO
      case 0x95 -> need(Long.BYTES); // FRAME
      case '(' -> stack.push(Special.MARK);
      case '0' -> pop(); // POP
      case '1' -> popToMark(); // POP_MARK
      case '2' -> stack.push(peek()); // DUP
      case 'N' -> stack.push(Special.NONE);
      case 0x88 -> stack.push(true);
      case 0x89 -> stack.push(false);
      case 'K' -> stack.push((long) number(1)); // BININT1
      case 'M' -> stack.push((long) number(2)); // BININT2
      case 'J' -> stack.push((long) need(Integer.BYTES).getInt()); // BININT
      case 0x8a -> stack.push(longOf(number(1))); // LONG1
      case 'G' -> stack.push(need(Double.BYTES).order(ByteOrder.BIG_ENDIAN).getDouble());
      case 'X' -> stack.push(text(need(Integer.BYTES).getInt())); // BINUNICODE
      case 0x8c -> stack.push(text(number(1))); // SHORT_BINUNICODE
      case 0x8d -> stack.push(text(need(Long.BYTES).getLong())); // BINUNICODE8
      case ')' -> stack.push(new Sequence(List.of()));
      case 't' -> stack.push(new Sequence(popToMark()));
      case 0x85 -> stack.push(new Sequence(pop(1)));
      case 0x86 -> stack.push(new Sequence(pop(2)));
      case 0x87 -> stack.push(new Sequence(pop(3)));
      case ']' -> stack.push(new Sequence(new ArrayList<>()));
      case 'l' -> stack.push(new Sequence(popToMark())); // LIST
      case 'a' -> append(pop(1));
      case 'e' -> append(popToMark()); // APPENDS
      case '}' -> stack.push(new Dictionary(new LinkedHashMap<>()));
      case 's' -> putAll(pop(2)); // SETITEM
      case 'u' -> putAll(popToMark()); // SETITEMS
      case 'q' -> memo.put(number(1), peek()); // BINPUT
      case 'r' -> memo.put(need(Integer.BYTES).getInt(), peek()); // LONG_BINPUT
      case 0x94 -> memo.put(memo.size(), peek()); // MEMOIZE
      case 'h' -> stack.push(remembered(number(1))); // BINGET
      case 'j' -> stack.push(remembered(need(Integer.BYTES).getInt())); // LONG_BINGET
      case 'c' -> stack.push(global(line(), line())); // GLOBAL
      case 0x93 -> stack.push(global(pop(2))); // STACK_GLOBAL
      case 'Q' -> stack.push(storage(pop())); // BINPERSID
      case 'R' -> stack.push(called(pop(2))); // REDUCE
      case 'b' -> build(pop()); // BUILD
      default ->
          throw refused(
              String.format("instruction 0x%02x is not one that tensors are made of", instruction));
    }
  }

  private void requireProtocol(int protocol) {
    if (protocol < 2 || protocol > MAX_PROTOCOL) {
      throw refused("protocol " + protocol + ", expected 2 to " + MAX_PROTOCOL);
    }
  }

  private Global global(List<Object> moduleAndName) {
    if (moduleAndName.get(0) instanceof String module
        && moduleAndName.get(1) instanceof String name) {
      return global(module, name);
    }
    throw refused("a name is made of something other than two texts");
  }

  private Global global(String module, String name) {
    if (module.length() > MAX_NAME || name.length() > MAX_NAME) {
      throw refused("a name of more than " + MAX_NAME + " characters");
    }
    return new Global(module + "." + name);
  }

  private Object remembered(int index) {
    Object value = memo.get(index);
    if (value == null) {
      throw refused("value " + index + " was never remembered");
    }
    return value;
  }

  private void append(List<Object> values) {
    if (!(peek() instanceof Sequence list && list.values() instanceof ArrayList)) {
      throw refused("values are appended to " + peek() + ", expected a list");
    }
    list.values().addAll(values);
  }

  private void putAll(List<Object> keysAndValues) {
    if (!(peek() instanceof Dictionary dictionary) || keysAndValues.size() % 2 != 0) {
      throw refused("entries are put into " + peek() + ", expected pairs and a dictionary");
    }
    for (int i = 0; i < keysAndValues.size(); i += 2) {
      if (!(keysAndValues.get(i) instanceof String key)) {
        throw refused("a dictionary's key is " + keysAndValues.get(i) + ", expected a text");
      }
      if (dictionary.entries().put(key, keysAndValues.get(i + 1)) != null) {
        throw refused("'" + key + "' is there twice");
      }
    }
  }

  /** ('storage', type, key, device, elements). */
  private Storage storage(Object id) {
    if (id instanceof Sequence parts
        && STORAGE.equals(parts.at(0))
        && parts.at(1) instanceof Global type
        && parts.at(2) instanceof String key
        && parts.at(4) instanceof Long elements) {
      return new Storage(type.name(), key, elements);
    }
    throw refused("a persistent id is " + id + ", expected that of a storage");
  }

  private Object called(List<Object> functionAndArguments) {
    if (!(functionAndArguments.get(0) instanceof Global function)
        || !(functionAndArguments.get(1) instanceof Sequence arguments)) {
      throw refused("a call of " + functionAndArguments.get(0));
    }
    Call call = CALLS.get(function.name());
    if (call == null) {
      throw refused("a call of " + function.name() + ", which no tensor needs");
    }
    return switch (call) {
      case DICTIONARY -> dictionary(arguments);
      case VIEW -> view(arguments);
      case PARAMETER -> parameter(arguments);
    };
  }

  private Dictionary dictionary(Sequence arguments) {
    if (!arguments.values().isEmpty()) {
      throw refused("an ordered dictionary of arguments, expected an empty one");
    }
    return new Dictionary(new LinkedHashMap<>());
  }

  /** (storage, offset, shape, strides, requires_grad, hooks). */
  private View view(Sequence arguments) {
    if (arguments.at(0) instanceof Storage storage
        && arguments.at(1) instanceof Long offset
        && arguments.at(2) instanceof Sequence shape
        && arguments.at(3) instanceof Sequence strides) {
      return new View(storage, offset, longs(shape), longs(strides));
    }
    throw refused("a tensor of other arguments than storage, offset, shape and strides");
  }

  /** (tensor, requires_grad, hooks). */
  private View parameter(Sequence arguments) {
    if (arguments.at(0) instanceof View view) {
      return view;
    }
    throw refused("a parameter of " + arguments.at(0) + ", expected a tensor");
  }

  private List<Long> longs(Sequence sequence) {
    if (sequence.values().size() > MAX_DIMENSIONS) {
      throw refused("a tensor of " + sequence.values().size() + " dimensions");
    }
    List<Long> longs = new ArrayList<>();
    for (Object value : sequence.values()) {
      if (!(value instanceof Long number)) {
        throw refused("a shape or stride holds " + value + ", expected integers");
      }
      longs.add(number);
    }
    return List.copyOf(longs);
  }

  /** An ordered dictionary's own attributes, such as the versions of a module: of no use here. */
  private void build(Object state) {
    if (!(state instanceof Dictionary) || !(peek() instanceof Dictionary)) {
      throw refused("a state for " + peek() + ", expected a dictionary's");
    }
  }

  private Object peek() {
    Object top = stack.peek();
    if (top == null || top == Special.MARK) {
      throw refused("a value is needed where there is none");
    }
    return top;
  }

  private Object pop() {
    peek();
    return stack.pop();
  }

  private List<Object> pop(int count) {
    Object[] values = new Object[count];
    for (int i = count - 1; i >= 0; i--) {
      values[i] = pop();
    }
    return Arrays.asList(values);
  }

  private List<Object> popToMark() {
    List<Object> values = new ArrayList<>();
    while (true) {
      Object value = stack.poll();
      if (value == null) {
        throw refused("a mark is needed where there is none");
      }
      if (value == Special.MARK) {
        Collections.reverse(values);
        return Collections.unmodifiableList(values);
      }
      values.add(value);
    }
  }

  private int number(int bytes) {
    ByteBuffer little = need(bytes);
    return bytes == 1 ? little.get() & 0xff : little.getShort() & 0xffff;
  }

  /** Two's complement, the lowest byte first. */
  private long longOf(int bytes) {
    if (bytes > Long.BYTES) {
      throw refused("an integer of " + bytes + " bytes, expected at most " + Long.BYTES);
    }
    ByteBuffer little = need(bytes);
    long value = 0;
    for (int i = 0; i < bytes; i++) {
      value |= (little.get(i) & 0xffL) << (Byte.SIZE * i);
    }
    int unused = Long.SIZE - Byte.SIZE * bytes;
    return bytes == 0 ? 0 : value << unused >> unused;
  }

  private String text(long bytes) {
    if (bytes < 0 || bytes > pickle.remaining()) {
      throw refused("a text of " + bytes + " bytes, where " + pickle.remaining() + " are left");
    }
    return StandardCharsets.UTF_8.decode(need((int) bytes)).toString();
  }

  private String line() {
    int end = pickle.position();
    while (end < pickle.limit() && pickle.get(end) != '\n') {
      end++;
    }
    String line = text(end - pickle.position());
    need(1);
    return line;
  }

  /** The next bytes, which are passed over. */
  private ByteBuffer need(int bytes) {
    if (bytes > pickle.remaining()) {
      throw refused("the pickle ends in the middle");
    }
    ByteBuffer part = pickle.slice(pickle.position(), bytes).order(ByteOrder.LITTLE_ENDIAN);
    pickle.position(pickle.position() + bytes);
    return part;
  }

  private ModelException refused(String problem) {
    String shown = problem.length() <= 200 ? problem : problem.substring(0, 200) + "...";
    return new ModelException(
        where + ", byte " + at, shown + "; it is not read, and nothing in it was executed");
  }
}
