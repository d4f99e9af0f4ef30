package io.sirocco.template;

import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;

/** Filters without arguments. */
enum Filter {
  LENGTH("length") {
    @Override
    Value apply(Value value, Run run) {
      return Value.Int.of(length(value, run), value.origin());
    }
  },
  LIST("list") {
    @Override
    Value apply(Value value, Run run) {
      List<Value> elements = new ArrayList<>();
      Origin origin = value.origin();
      Iterator<Value> each = Access.iterate(value, run);
      while (each.hasNext()) {
        Value element = each.next();
        origin = origin.with(element.origin());
        elements.add(element);
      }
      return new Value.ListValue(elements, origin);
    }
  },
  STRING("string") {
    @Override
    Value apply(Value value, Run run) {
      return PythonText.of(value, run);
    }
  },
  TOJSON("tojson") {
    @Override
    Value apply(Value value, Run run) {
      return JsonText.of(value, run);
    }
  },
  TRIM("trim") {
    @Override
    Value apply(Value value, Run run) {
      return PythonText.trim(PythonText.of(value, run), run);
    }
  };

  private final String word;

  Filter(String word) {
    this.word = word;
  }

  String word() {
    return word;
  }

  abstract Value apply(Value value, Run run);

  private static int length(Value value, Run run) {
    if (value instanceof Text text) {
      run.charge(text.length());
      return text.codePoints();
    }
    if (value instanceof Value.Sequence sequence) {
      return sequence.elements().size();
    }
    if (value instanceof Value.Dict dict) {
      return dict.entries().size();
    }
    if (value instanceof Value.Items items) {
      return items.dict().entries().size();
    }
    if (value instanceof Value.Undefined) {
      return 0;
    }
    throw run.failure("a " + value.type() + " has no length");
  }
}
