package io.sirocco.template;

import java.util.HashMap;
import java.util.Map;
import java.util.Optional;

/**
 * The variables that a part of a template sees: its own, then those around it. A loop's body has a
 * new scope for each element, so what it sets ends with it; an {@code if} has none.
 */
final class Scope {
  /** Of looking for a variable in one scope, in units of work. */
  private static final int LOOK = 4;

  private final Run run;
  private final Optional<Scope> outer;
  private final Map<String, Value> variables = new HashMap<>();
  private Optional<Loop> loop = Optional.empty();

  private Scope(Run run, Optional<Scope> outer) {
    this.run = run;
    this.outer = outer;
  }

  static Scope outermost(Run run) {
    return new Scope(run, Optional.empty());
  }

  Scope inner() {
    return new Scope(run, Optional.of(this));
  }

  Run run() {
    return run;
  }

  void set(String name, Value value) {
    variables.put(name, value);
  }

  Value get(String name) {
    for (Optional<Scope> scope = Optional.of(this); scope.isPresent(); scope = scope.get().outer) {
      run.charge(LOOK);
      Value value = scope.get().variables.get(name);
      if (value != null) {
        return value;
      }
    }
    return new Value.Undefined("'" + name + "' is undefined");
  }

  void enter(Loop innermost) {
    loop = Optional.of(innermost);
  }

  /** The loop around; the parser has seen to it that there is one. */
  Loop loop() {
    return loop.orElseGet(() -> outer.orElseThrow().loop());
  }
}
