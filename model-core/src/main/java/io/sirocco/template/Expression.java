package io.sirocco.template;

import java.util.Collections;
import java.util.List;
import java.util.Map;

/** An expression of a template. */
sealed interface Expression {
  /** The value; each node is paid for, and is the one that errors name while it is computed. */
  Value evaluate(Scope scope);

  record Literal(Position at, Value value) implements Expression {
    @Override
    public Value evaluate(Scope scope) {
      scope.run().step(at);
      return value;
    }
  }

  record Name(Position at, String name) implements Expression {
    @Override
    public Value evaluate(Scope scope) {
      scope.run().step(at);
      return scope.get(name);
    }
  }

  record LoopField(Position at, Loop.Field field) implements Expression {
    @Override
    public Value evaluate(Scope scope) {
      scope.run().step(at);
      return scope.loop().get(field);
    }
  }

  record Attribute(Position at, Expression target, String name) implements Expression {
    @Override
    public Value evaluate(Scope scope) {
      Value value = target.evaluate(scope);
      scope.run().step(at);
      return Access.attribute(value, name, scope.run());
    }
  }

  record Item(Position at, Expression target, Expression key) implements Expression {
    @Override
    public Value evaluate(Scope scope) {
      Value value = target.evaluate(scope);
      Value index = key.evaluate(scope);
      scope.run().step(at);
      return Access.item(value, index, scope.run());
    }
  }

  /** A bound that is left out is the literal none. */
  record Slice(Position at, Expression target, Expression start, Expression stop)
      implements Expression {
    @Override
    public Value evaluate(Scope scope) {
      Value value = target.evaluate(scope);
      Value from = start.evaluate(scope);
      Value to = stop.evaluate(scope);
      scope.run().step(at);
      return Access.slice(value, from, to, scope.run());
    }
  }

  record ItemsCall(Position at, Expression target) implements Expression {
    @Override
    public Value evaluate(Scope scope) {
      Value value = target.evaluate(scope);
      scope.run().step(at);
      return Access.items(value, scope.run());
    }
  }

  record NamespaceCall(Position at, Map<String, Expression> attributes) implements Expression {
    @Override
    public Value evaluate(Scope scope) {
      Namespace namespace = new Namespace();
      attributes.forEach((name, value) -> namespace.set(name, value.evaluate(scope)));
      scope.run().step(at);
      return namespace;
    }
  }

  record RaiseCall(Position at, Expression message) implements Expression {
    @Override
    public Value evaluate(Scope scope) {
      Value value = message.evaluate(scope);
      scope.run().step(at);
      throw scope.run().raised(PythonText.of(value, scope.run()).string());
    }
  }

  record Not(Position at, Expression operand) implements Expression {
    @Override
    public Value evaluate(Scope scope) {
      Value value = operand.evaluate(scope);
      scope.run().step(at);
      return new Value.Bool(Truth.when(!Truth.of(value)), value.origin());
    }
  }

  record Negate(Position at, Expression operand) implements Expression {
    @Override
    public Value evaluate(Scope scope) {
      Value value = operand.evaluate(scope);
      scope.run().step(at);
      return Operators.negate(value, scope.run());
    }
  }

  record And(Position at, Expression left, Expression right) implements Expression {
    @Override
    public Value evaluate(Scope scope) {
      Value value = left.evaluate(scope);
      scope.run().step(at);
      return Truth.of(value) ? right.evaluate(scope) : value;
    }
  }

  record Or(Position at, Expression left, Expression right) implements Expression {
    @Override
    public Value evaluate(Scope scope) {
      Value value = left.evaluate(scope);
      scope.run().step(at);
      return Truth.of(value) ? value : right.evaluate(scope);
    }
  }

  record Add(Position at, Expression left, Expression right) implements Expression {
    @Override
    public Value evaluate(Scope scope) {
      Value first = left.evaluate(scope);
      Value second = right.evaluate(scope);
      scope.run().step(at);
      return Operators.add(first, second, scope.run());
    }
  }

  record Modulo(Position at, Expression left, Expression right) implements Expression {
    @Override
    public Value evaluate(Scope scope) {
      Value first = left.evaluate(scope);
      Value second = right.evaluate(scope);
      scope.run().step(at);
      return Operators.modulo(first, second, scope.run());
    }
  }

  /** Which comparison. */
  enum Comparator {
    EQUAL,
    UNEQUAL
  }

  /** The right part of a comparison. */
  record Comparison(Position at, Comparator comparator, Expression right) {}

  /** {@code a == b != c} compares a with b, then b with c, until one fails. */
  record Compare(Expression first, List<Comparison> comparisons) implements Expression {
    @Override
    public Value evaluate(Scope scope) {
      Value left = first.evaluate(scope);
      Origin origin = left.origin();
      for (Comparison comparison : comparisons) {
        Value right = comparison.right().evaluate(scope);
        origin = origin.with(right.origin());
        scope.run().step(comparison.at());
        boolean wanted = comparison.comparator() == Comparator.EQUAL;
        if (Equality.equal(left, right, scope.run()) != wanted) {
          return new Value.Bool(Truth.FALSE, origin);
        }
        left = right;
      }
      return new Value.Bool(Truth.TRUE, origin);
    }
  }

  record FilterCall(Position at, Expression operand, Filter filter) implements Expression {
    @Override
    public Value evaluate(Scope scope) {
      Value value = operand.evaluate(scope);
      scope.run().step(at);
      return filter.apply(value, scope.run());
    }
  }

  /** {@code operand|selectattr("attribute", "equalto", expected)}. */
  record SelectAttribute(Position at, Expression operand, String attribute, Expression expected)
      implements Expression {
    @Override
    public Value evaluate(Scope scope) {
      Value value = operand.evaluate(scope);
      Value wanted = expected.evaluate(scope);
      Run run = scope.run();
      run.step(at);
      // Jinja does not look into what is false, so that zero or none selects nothing.
      return new Generator(
          () -> Truth.of(value) ? Access.iterate(value, run) : Collections.emptyIterator(),
          element -> Equality.equal(Access.attribute(element, attribute, run), wanted, run),
          value.origin());
    }
  }

  record TestCall(Position at, Expression operand, TypeTest test) implements Expression {
    @Override
    public Value evaluate(Scope scope) {
      Value value = operand.evaluate(scope);
      scope.run().step(at);
      return new Value.Bool(Truth.when(test.holds(value)), value.origin());
    }
  }
}
