/**
 * Fails after host.json's functionTimeout. The function itself cannot be stopped: what it holds is free for another try.
 * @param milliseconds 0 or less: no limit
 */
export async function withinTimeout<Result>(
  functionName: string,
  milliseconds: number,
  work: Promise<Result>,
): Promise<Result> {
  if (milliseconds <= 0) return await work;
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(
      () => reject(new Error(`Function '${functionName}' ran longer than ${milliseconds / 1000} s`)),
      milliseconds,
    );
    timer.unref();
  });
  try {
    return await Promise.race([work, timeout]);
  } finally {
    clearTimeout(timer);
  }
}
