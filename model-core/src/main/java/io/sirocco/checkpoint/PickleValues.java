package io.sirocco.checkpoint;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * The values that pickles of tensors are made of, and the calls that make some of them: an ordered
 * dictionary, a tensor that is a view of a storage, and a parameter, which is such a tensor.
 */
final class PickleValues {
  private static final int MAX_NAME = 256;
  private static final int MAX_DIMENSIONS = 8;

  /** Calls of Python that are known, by what they make. */
  private static final Map<String, Call> CALLS =
      Map.of(
          "collections.OrderedDict", Call.DICTIONARY,
          "torch._utils._rebuild_tensor_v2", Call.VIEW,
          "torch._utils._rebuild_parameter", Call.PARAMETER);

  private static final String STORAGE = "storage";

  private final PickleBytes pickle;

  /** What a pickle may hold besides texts, numbers and truth values. */
  enum Special {
    NONE,
    MARK
  }

  private enum Call {
    DICTIONARY,
    VIEW,
    PARAMETER
  }

  /** A name that a pickle wants to be looked up. */
  record Global(String name) {}

  /** A tuple, or a list. */
  record Sequence(List<Object> values) {
    /** The value there, or none. */
    Object at(int index) {
      return index < values.size() ? values.get(index) : Special.NONE;
    }

    @Override
    public String toString() {
      return "a sequence";
    }
  }

  record Dictionary(Map<String, Object> entries) {
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

  /** {@code pickle} says where it is, if something else is asked for. */
  PickleValues(PickleBytes pickle) {
    this.pickle = pickle;
  }

  /** A name of module and name. */
  Global global(List<Object> moduleAndName) {
    if (moduleAndName.get(0) instanceof String module
        && moduleAndName.get(1) instanceof String name) {
      return global(module, name);
    }
    throw pickle.refused("a name is made of something other than two texts");
  }

  /** A name, which nobody looks up. */
  Global global(String module, String name) {
    if (module.length() > MAX_NAME || name.length() > MAX_NAME) {
      throw pickle.refused("a name of more than " + MAX_NAME + " characters");
    }
    return new Global(module + "." + name);
  }

  /** What a persistent id stands for: ('storage', type, key, device, elements). */
  Storage storage(Object id) {
    if (id instanceof Sequence parts
        && STORAGE.equals(parts.at(0))
        && parts.at(1) instanceof Global type
        && parts.at(2) instanceof String key
        && parts.at(4) instanceof Long elements) {
      return new Storage(type.name(), key, elements);
    }
    throw pickle.refused("a persistent id is " + id + ", expected that of a storage");
  }

  /** What one of the known calls makes. */
  Object called(List<Object> functionAndArguments) {
    if (!(functionAndArguments.get(0) instanceof Global function)
        || !(functionAndArguments.get(1) instanceof Sequence arguments)) {
      throw pickle.refused("a call of " + functionAndArguments.get(0));
    }
    Call call = CALLS.get(function.name());
    if (call == null) {
      throw pickle.refused("a call of " + function.name() + ", which no tensor needs");
    }
    return switch (call) {
      case DICTIONARY -> dictionary(arguments);
      case VIEW -> view(arguments);
      case PARAMETER -> parameter(arguments);
    };
  }

  private Dictionary dictionary(Sequence arguments) {
    if (!arguments.values().isEmpty()) {
      throw pickle.refused("an ordered dictionary of arguments, expected an empty one");
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
    throw pickle.refused("a tensor of other arguments than storage, offset, shape and strides");
  }

  /** (tensor, requires_grad, hooks). */
  private View parameter(Sequence arguments) {
    if (arguments.at(0) instanceof View view) {
      return view;
    }
    throw pickle.refused("a parameter of " + arguments.at(0) + ", expected a tensor");
  }

  private List<Long> longs(Sequence sequence) {
    if (sequence.values().size() > MAX_DIMENSIONS) {
      throw pickle.refused("a tensor of " + sequence.values().size() + " dimensions");
    }
    List<Long> longs = new ArrayList<>();
    for (Object value : sequence.values()) {
      if (!(value instanceof Long number)) {
        throw pickle.refused("a shape or stride holds " + value + ", expected integers");
      }
      longs.add(number);
    }
    return List.copyOf(longs);
  }
}
