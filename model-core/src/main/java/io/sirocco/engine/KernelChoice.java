package io.sirocco.engine;

/** Which kernels compute. */
public enum KernelChoice {
  /** oneDNN where it loads, else Java; the plan says which and why. */
  AUTO,
  /** oneDNN, or a failure that names the cause. */
  ONEDNN,
  /** Plain Java: slow, and available wherever a JVM is. */
  JAVA
}
