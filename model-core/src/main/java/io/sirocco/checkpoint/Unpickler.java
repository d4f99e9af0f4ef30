package io.sirocco.checkpoint;

import io.sirocco.checkpoint.PickleValues.Dictionary;
import io.sirocco.checkpoint.PickleValues.Sequence;
import io.sirocco.checkpoint.PickleValues.Special;
import io.sirocco.checkpoint.PickleValues.View;
import java.nio.ByteOrder;
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

  private final PickleBytes pickle;
  private final PickleValues known;
  private final Deque<Object> stack = new ArrayDeque<>();
  private final Map<Integer, Object> memo = new HashMap<>();

  private Unpickler(PickleBytes pickle) {
    this.pickle = pickle;
    this.known = new PickleValues(pickle);
  }

  /**
   * The tensors of a state dictionary, by name, in its order.
   *
   * @throws ModelException if it is something else
   */
  static Map<String, View> tensors(String where, byte[] pickle) {
    return new Unpickler(new PickleBytes(where, pickle)).run();
  }

  private Map<String, View> run() {
    for (int done = 0; done < MAX_INSTRUCTIONS; done++) {
      int instruction = pickle.instruction();
      if (instruction == '.') {
        return tensors(pop());
      }
      follow(instruction);
    }
    throw pickle.refused("more than " + MAX_INSTRUCTIONS + " instructions");
  }

  private Map<String, View> tensors(Object root) {
    if (!(root instanceof Dictionary dictionary)) {
      throw pickle.refused("the pickle is " + root + ", expected a dictionary of tensors");
    }
    Map<String, View> tensors = new LinkedHashMap<>();
    dictionary
        .entries()
        .forEach(
            (name, value) -> {
              if (!(value instanceof View view)) {
                throw pickle.refused("'" + name + "' is " + value + ", expected a tensor");
              }
              tensors.put(name, view);
            });
    return tensors;
  }

  private void follow(int instruction) {
    switch (instruction) {
      case 0x80 -> requireProtocol(pickle.number(1)); // PROTO
      case 0x95 -> pickle.need(Long.BYTES); // FRAME
      case '(' -> stack.push(Special.MARK);
      case '0' -> pop(); // POP
      case '1' -> popToMark(); // POP_MARK
      case '2' -> stack.push(peek()); // DUP
      case 'N' -> stack.push(Special.NONE);
      case 0x88 -> stack.push(true);
      case 0x89 -> stack.push(false);
      case 'K' -> stack.push((long) pickle.number(1)); // BININT1
      case 'M' -> stack.push((long) pickle.number(2)); // BININT2
      case 'J' -> stack.push((long) pickle.need(Integer.BYTES).getInt()); // BININT
      case 0x8a -> stack.push(pickle.longOf(pickle.number(1))); // LONG1
      case 'G' -> stack.push(pickle.need(Double.BYTES).order(ByteOrder.BIG_ENDIAN).getDouble());
      case 'X' -> stack.push(pickle.text(pickle.need(Integer.BYTES).getInt())); // BINUNICODE
      case 0x8c -> stack.push(pickle.text(pickle.number(1))); // SHORT_BINUNICODE
      case 0x8d -> stack.push(pickle.text(pickle.need(Long.BYTES).getLong())); // BINUNICODE8
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
      case 'q' -> memo.put(pickle.number(1), peek()); // BINPUT
      case 'r' -> memo.put(pickle.need(Integer.BYTES).getInt(), peek()); // LONG_BINPUT
      case 0x94 -> memo.put(memo.size(), peek()); // MEMOIZE
      case 'h' -> stack.push(remembered(pickle.number(1))); // BINGET
      case 'j' -> stack.push(remembered(pickle.need(Integer.BYTES).getInt())); // LONG_BINGET
      case 'c' -> stack.push(known.global(pickle.line(), pickle.line())); // GLOBAL
      case 0x93 -> stack.push(known.global(pop(2))); // STACK_GLOBAL
      case 'Q' -> stack.push(known.storage(pop())); // BINPERSID
      case 'R' -> stack.push(known.called(pop(2))); // REDUCE
      case 'b' -> build(pop()); // BUILD
      default ->
          throw pickle.refused(
              String.format("instruction 0x%02x is not one that tensors are made of", instruction));
    }
  }

  private void requireProtocol(int protocol) {
    if (protocol < 2 || protocol > MAX_PROTOCOL) {
      throw pickle.refused("protocol " + protocol + ", expected 2 to " + MAX_PROTOCOL);
    }
  }

  private Object remembered(int index) {
    Object value = memo.get(index);
    if (value == null) {
      throw pickle.refused("value " + index + " was never remembered");
    }
    return value;
  }

  private void append(List<Object> values) {
    if (!(peek() instanceof Sequence list && list.values() instanceof ArrayList)) {
      throw pickle.refused("values are appended to " + peek() + ", expected a list");
    }
    list.values().addAll(values);
  }

  private void putAll(List<Object> keysAndValues) {
    if (!(peek() instanceof Dictionary dictionary) || keysAndValues.size() % 2 != 0) {
      throw pickle.refused("entries are put into " + peek() + ", expected pairs and a dictionary");
    }
    for (int i = 0; i < keysAndValues.size(); i += 2) {
      if (!(keysAndValues.get(i) instanceof String key)) {
        throw pickle.refused("a dictionary's key is " + keysAndValues.get(i) + ", expected a text");
      }
      if (dictionary.entries().put(key, keysAndValues.get(i + 1)) != null) {
        throw pickle.refused("'" + key + "' is there twice");
      }
    }
  }

  /** An ordered dictionary's own attributes, such as the versions of a module: of no use here. */
  private void build(Object state) {
    if (!(state instanceof Dictionary) || !(peek() instanceof Dictionary)) {
      throw pickle.refused("a state for " + peek() + ", expected a dictionary's");
    }
  }

  private Object peek() {
    Object top = stack.peek();
    if (top == null || top == Special.MARK) {
      throw pickle.refused("a value is needed where there is none");
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
        throw pickle.refused("a mark is needed where there is none");
      }
      if (value == Special.MARK) {
        Collections.reverse(values);
        return Collections.unmodifiableList(values);
      }
      values.add(value);
    }
  }
}
