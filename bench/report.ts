/** Says what is being measured, and where time goes: lines before the table. */
export type Report = (text: string) => void;
