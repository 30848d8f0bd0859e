import { createTheme, type CSSVariablesResolver, type MantineColorsTuple } from '@mantine/core';

/** Greys with a little of the night in them. */
const dark: MantineColorsTuple = ['#d5d9e3', '#b4bac8', '#99a1b3', '#6f788d', '#4a5165', '#363c4e', '#272c3b', '#1f2330', '#181b26', '#12141c'];

const moon: MantineColorsTuple = ['#eef0ff', '#dcdffb', '#b6bbf0', '#8f96e6', '#6d76de', '#5761d9', '#4b56d7', '#3c47c0', '#343fac', '#2a3598'];

/** No fonts are loaded: the system has good ones, and nothing else is asked for anything. */
export const theme = createTheme({
  primaryColor: 'moon',
  primaryShade: { light: 7, dark: 5 },
  colors: { moon, dark },
  defaultRadius: 'md',
  fontFamily: 'system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", "DejaVu Sans", sans-serif',
  fontFamilyMonospace: 'ui-monospace, "SF Mono", "Cascadia Code", Menlo, Consolas, "DejaVu Sans Mono", monospace',
  headings: { fontWeight: '650', sizes: { h1: { fontSize: '1.6rem' }, h2: { fontSize: '1.15rem' }, h3: { fontSize: '1rem' } } },
  respectReducedMotion: true,
  autoContrast: true,
  components: {
    Tooltip: { defaultProps: { openDelay: 300, withArrow: true } },
    Notification: { defaultProps: { closeButtonProps: { 'aria-label': 'Dismiss' } } },
    Badge: { defaultProps: { variant: 'light', radius: 'sm' } },
    Table: { defaultProps: { verticalSpacing: 'sm', highlightOnHover: true } },
  },
});

/** The text of badges and notices on their tinted grounds, dark or light enough to be read. */
function lightText(colors: Record<string, string>): Record<string, string> {
  return Object.fromEntries(Object.entries(colors).map(([name, value]) => [`--mantine-color-${name}-light-color`, value]));
}

/** Secondary text that still has the contrast that text needs. */
export const variables: CSSVariablesResolver = () => ({
  variables: {},
  light: {
    '--mantine-color-dimmed': '#586069',
    '--mantine-color-placeholder': '#686f77',
    '--mantine-color-error': '#c92a2a',
    '--mantine-color-body': '#f7f8fb',
    '--mantine-color-moon-text': '#343fac',
    ...lightText({ green: '#1b5e2a', teal: '#0b5a48', red: '#a01414', orange: '#8a3208', yellow: '#6b4400', blue: '#134d96', gray: '#3b4148', moon: '#2a3598' }),
    '--moongate-surface': '#ffffff',
    '--moongate-line': '#e3e6ef',
  },
  dark: {
    '--mantine-color-dimmed': '#a3abb8',
    '--mantine-color-placeholder': '#98a0ad',
    '--mantine-color-error': '#ff8787',
    '--mantine-color-body': '#12141c',
    '--mantine-color-moon-text': '#b6bbf0',
    ...lightText({ green: '#8ce99a', teal: '#63e6be', red: '#ffb3b3', orange: '#ffc078', yellow: '#ffe066', blue: '#a5d8ff', gray: '#c9ced8', moon: '#c9cdf8' }),
    '--moongate-surface': '#1a1d28',
    '--moongate-line': '#2d3140',
  },
});
