package io.sirocco.spark;

import java.io.IOException;
import java.io.OutputStream;
import java.util.Arrays;

/**
 * Runs the class named by the first argument, in a JVM that ends when the JVM that started it does:
 * its standard input is a pipe from there, which breaks then, whatever ended the other side.
 */
public final class TiedProcess {
  private static final int KILLED = 137;

  private TiedProcess() {}

  /** {@code arguments}: a class with a main method, and what that is given. */
  public static void main(String[] arguments) throws ReflectiveOperationException {
    Thread watch = new Thread(TiedProcess::haltAtEndOfInput, "tied-to-parent");
    watch.setDaemon(true);
    watch.start();
    Class.forName(arguments[0])
        .getMethod("main", String[].class)
        .invoke(null, (Object) Arrays.copyOfRange(arguments, 1, arguments.length));
  }

  private static void haltAtEndOfInput() {
    try {
      System.in.transferTo(OutputStream.nullOutputStream());
    } catch (IOException e) {
      // A pipe that cannot be read has no other side either.
    }
    Runtime.getRuntime().halt(KILLED);
  }
}
